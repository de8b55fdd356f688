package queue_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// harmless is an error that says what is wrong in a line or so, with no number in it.
func harmless(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	require.LessOrEqual(t, len(text), 600)
	require.True(t, utf8.ValidString(text), "%q", text)
	require.NotContains(t, text, "447700900001")
	require.NotContains(t, text, "\n")
	require.NotContains(t, text, "\x00")
}

func badTexts() []string {
	return []string{
		"", "\x00", "\xff\xfe", "447700900001\x00", "447700900001\xff", "+44 7700 900001\nfaked line", "\u202e447700900001",
		strings.Repeat("447700900001", 1<<17), strings.Repeat("\xff", 1<<20), strings.Repeat("é", 200),
	}
}

func badTimes() []time.Time {
	return []time.Time{{}, time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 999_999_999), time.Unix(1<<40, 0), time.Date(-9999, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// Whatever a caller gives, nothing panics, and what is wrong is said in a line without a
// number; what is taken in is sent, or ends.
func TestBadInput(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rules(policy.Gap{Min: time.Second, Max: time.Second}), always, queue.Options{Typing: quiet})
	ctx := t.Context()
	for _, text := range badTexts() {
		for _, m := range []queue.Message{
			{Account: text, To: bob, Text: "x"}, {Account: alice, To: text, Text: "x"}, {Account: alice, To: bob, Text: text},
			{Account: alice, To: bob, Text: "x", Kind: text}, {Account: alice, To: bob, Text: "x", WireID: text}, {Account: alice, To: bob, Text: "x", Key: text},
			{Account: alice, To: bob, Text: "x", Campaign: text}, {Account: alice, To: bob, Text: "x", InDoubt: queue.Doubt(text)},
			{ID: text, Account: alice, To: bob, Text: "x"}, {Account: alice, To: bob, Payload: []byte(text), Meta: map[string]string{text: text}},
		} {
			_, err := q.Enqueue(ctx, m)
			harmless(t, err)
		}
		_, err := q.Get(ctx, text)
		harmless(t, err)
		require.ErrorIs(t, err, queue.ErrUnknownMessage)
		_, err = q.Cancel(ctx, text)
		harmless(t, err)
		_, err = q.Gates(ctx, text)
		harmless(t, err)
		_, err = q.ETA(ctx, text)
		harmless(t, err)
		_, err = q.Resolve(ctx, text, queue.Resolution(text))
		harmless(t, err)
		_, err = q.Confirm(ctx, text, text, queue.Receipt{ID: text})
		harmless(t, err)
		_, err = q.List(ctx, queue.Filter{Account: text, Campaign: text, To: text, WireID: text, Statuses: []queue.Status{queue.Status(text)}})
		harmless(t, err)
		_, err = queue.ParseAddress(text)
		harmless(t, err)
		for _, target := range []limiter.Target{{Account: text}, {Recipient: text}, {Campaign: text}, {Account: text, NewContacts: true}, {Recipient: text, Campaign: text, NewContacts: true}} {
			if target == (limiter.Target{}) {
				continue
			}
			err = q.Hold(ctx, target, time.Time{}, text)
			harmless(t, err)
			_, err = q.Release(ctx, target)
			harmless(t, err)
		}
		_, err = queue.New(policy.Strict(), always, &queue.Options{DayFull: queue.DayFull(text)})
		harmless(t, err)
	}
	for _, at := range badTimes() {
		for _, m := range []queue.Message{{Account: alice, To: bob, Text: "x", NotBefore: at}, {Account: alice, To: bob, Text: "x", ExpiresAt: at}, {Account: alice, To: bob, Text: "x", NotBefore: at, ExpiresAt: at.Add(1)}} {
			id, err := q.Enqueue(ctx, m)
			harmless(t, err)
			if err == nil {
				_, err = q.ETA(ctx, id)
				require.NoError(t, err)
				_, err = q.Gates(ctx, id)
				require.NoError(t, err)
			}
		}
		harmless(t, q.Hold(ctx, limiter.Target{Account: carol}, at, "why"))
		_, err := q.List(ctx, queue.Filter{From: at, Until: at, Before: math.MaxUint64})
		harmless(t, err)
	}
	for _, n := range []int{math.MinInt, -1, math.MaxInt} {
		_, err := q.List(ctx, queue.Filter{Limit: n})
		require.ErrorIs(t, err, queue.ErrOption)
		harmless(t, err)
	}
	for _, n := range []int{math.MinInt, queue.LowestPriority - 1, queue.HighestPriority + 1, math.MaxInt} {
		_, err := q.Enqueue(ctx, queue.Message{Account: alice, To: bob, Text: "x", Priority: n})
		require.ErrorIs(t, err, queue.ErrMessage)
		harmless(t, err)
	}
	_, err := q.Step(ctx)
	require.NoError(t, err)
}

// Options of the least and the largest values are refused, or work.
func TestBadOptions(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{math.MinInt64, -1, 1, math.MaxInt64} {
		for _, n := range []int{math.MinInt, -1, 1, math.MaxInt} {
			for name, o := range map[string]queue.Options{
				"typing":   {Typing: &queue.Typing{Start: d, PerRune: d, Max: d, Spread: 100}},
				"rune":     {Typing: &queue.Typing{Start: 1, PerRune: d, Max: math.MaxInt64, Spread: 100}},
				"spread":   {Typing: &queue.Typing{Start: 1, Max: 2, Spread: n}},
				"verify":   {Verify: &queue.Verify{Yes: d, No: d, Most: n}},
				"width":    {Width: n, Workers: n},
				"keys":     {KeepKeys: d},
				"urgent":   {KeepForUrgent: int64(n)},
				"counts":   {MaxQueued: n, MaxAttempts: n, History: n},
				"backoff":  {Backoff: &queue.Backoff{First: d, Most: d}},
				"ramp":     {Ramp: &queue.Ramp{From: n, Over: d, Gap: d}},
				"slow":     {Ramp: &queue.Ramp{From: 1, Over: d, Gap: d}},
				"timeouts": {SendTimeout: d, SendWait: -1, StopWait: d},
			} {
				o.Seed = 1
				answers := []error{queue.Offline(nil), queue.Retry(errNo, d), nil}
				q, err := queue.New(policy.Standard(), scripted(&answers), &o)
				harmless(t, err)
				if err != nil {
					require.ErrorIs(t, err, queue.ErrOption, name)
					continue
				}
				for range 2 {
					id, err := q.Enqueue(t.Context(), queue.Message{Account: alice, To: bob, Text: "x"})
					if errors.Is(err, queue.ErrFull) {
						continue // the first one waits
					}
					require.NoError(t, err, name)
					_, err = q.ETA(t.Context(), id)
					require.NoError(t, err, name)
					_, err = q.Step(t.Context())
					require.NoError(t, err, name)
				}
			}
		}
	}
}

// scripted is a sender of answers, one after the other.
func scripted(answers *[]error) verifyingFunc {
	return func() error {
		if len(*answers) == 0 {
			return nil
		}
		next := (*answers)[0]
		*answers = (*answers)[1:]
		return next
	}
}

type verifyingFunc func() error

func (f verifyingFunc) Send(context.Context, queue.Message) (queue.Receipt, error) {
	return queue.Receipt{}, f()
}

func (verifyingFunc) Typing(context.Context, queue.Message, time.Duration) error { return nil }

func (verifyingFunc) Verify(context.Context, string, string) (queue.Verification, error) {
	return queue.Verification{Registered: true}, nil
}
