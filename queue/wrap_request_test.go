package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// sends sends a message, which must take so long.
func sends(t *testing.T, s queue.Sender, m queue.Message, want time.Duration) {
	t.Helper()
	start := time.Now()
	_, err := s.Send(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, want, time.Since(start))
}

func TestWrap_HoldsCampaigns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &queuetest.Sender{}
		s := queue.Wrap(fake, wrapLimiter(t, policy.Unlimited()), nil)
		spring, summer := text(alice, bob), text(alice, bob)
		spring.Campaign, summer.Campaign = "spring", "summer"
		fake.Script(queuetest.Answer{Err: queue.Hold(errNo, limiter.Target{Campaign: "spring"}, time.Now().Add(time.Hour))})
		_, err := s.Send(t.Context(), spring)
		require.ErrorIs(t, err, errNo)
		sends(t, s, summer, 0)
		sends(t, s, spring, time.Hour)
	})
}

func TestWrap_AsksWhoIsNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := queue.Wrap(struct {
			queue.SenderFunc
			knows
		}{always, func(to string) (bool, error) {
			if to == stranger {
				return true, errors.New("the phone book is closed")
			}
			return to == bob, nil
		}}, wrapLimiter(t, rules(policy.NewContacts{Max: 1, Window: time.Hour})), nil)
		sends(t, s, text(alice, bob), 0)
		sends(t, s, text(alice, carol), 0)
		sends(t, s, text(alice, bob), 0)
		sends(t, s, text(alice, stranger), time.Hour)
	})
}

type knows func(to string) (bool, error)

func (k knows) Known(_ context.Context, _, to string) (bool, error) { return k(to) }

func TestWrapPortfolio(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := wrapLimiter(t, policy.Policy{Rules: []policy.Rule{
			{Name: "shared", Scope: policy.ScopePortfolio, Limit: policy.SlidingWindow{Max: 2, Window: time.Hour}},
		}})
		s := queue.WrapPortfolio(always, l, nil, family)
		sends(t, s, text(alice, bob), 0)
		sends(t, s, text(carol, bob), 0)
		sends(t, s, text(stranger, bob), 0)
		sends(t, s, text(alice, bob), time.Hour)

		for _, s := range []queue.Sender{queue.Wrap(always, l, nil), queue.WrapPortfolio(always, l, nil, func(string) string { return "" })} {
			_, err := s.Send(t.Context(), text(alice, bob))
			require.ErrorIs(t, err, queue.ErrUnsent)
			require.ErrorContains(t, err, `portfolio "": rule "shared" counts by it; name it`)
		}
	})
}

// Nobody is asked who is new without a context, or for what is not sent any more.
func TestWrap_AsksNobodyInVain(t *testing.T) {
	t.Parallel()
	s := queue.Wrap(struct {
		queue.SenderFunc
		knows
	}{always, func(string) (bool, error) {
		t.Error("it asks")
		return true, nil
	}}, wrapLimiter(t, policy.Unlimited()), nil)
	done, cancel := context.WithCancelCause(t.Context())
	cancel(errNo)
	_, err := s.Send(done, text(alice, bob))
	require.ErrorIs(t, err, errNo)
	var none context.Context
	_, err = s.Send(none, text(alice, bob))
	require.ErrorIs(t, err, queue.ErrUnsent)
}
