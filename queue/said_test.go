package queue_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A trap is an error that breaks off whoever asks it for its text.
type trap struct{ breaks func() }

func (e trap) Error() string {
	e.breaks()
	return "never said"
}

// the goroutine leaves its message in doubt. Neither does anything else.
func TestOutcome_ErrorThatBreaksOff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    func(error) error
		status queue.Status
		code   queue.Code
		spent  bool
		held   bool
	}{
		{"plain", func(err error) error { return err }, queue.Failed, queue.SendFailed, true, false},
		{"retry", func(err error) error { return queue.Retry(err, 0) }, queue.Failed, queue.TooManyAttempts, true, false},
		{"hold", func(err error) error { return queue.Hold(err, limiter.Target{}, time.Time{}) }, queue.Failed, queue.TooManyAttempts, true, true},
		{"drop", func(err error) error { return queue.Drop(err) }, queue.Failed, queue.SendFailed, true, false},
		{"unknown", func(err error) error { return queue.Unknown(err) }, queue.InDoubt, queue.SendUnknown, true, false},
		{"unsent", func(err error) error { return errors.Join(queue.ErrUnsent, err) }, queue.Failed, queue.SendFailed, false, false},
		{"in doubt", func(err error) error { return queue.Unknown(errors.Join(queue.ErrUnsent, err)) }, queue.InDoubt, queue.SendUnknown, true, false},
	}
	for _, tt := range tests {
		for how, breaks := range map[string]func(){"panic": func() { panic("no text") }, "goexit": runtime.Goexit} {
			want := tt
			if how == "goexit" {
				want.status, want.code, want.spent, want.held = queue.InDoubt, queue.SendUnknown, true, false
			}
			t.Run(tt.name+" "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var d diary
					n := 0
					q := newQueue(t, rules(policy.CalendarWindow{Max: 2, Unit: policy.Day}), queue.SenderFunc(func(context.Context, queue.Message) (queue.Receipt, error) {
						if n++; n == 1 {
							return queue.Receipt{}, tt.err(trap{breaks: breaks})
						}
						return queue.Receipt{}, nil
					}), queue.Options{OnEvent: d.write, MaxAttempts: 1})
					var ids []string
					for range 3 {
						ids = append(ids, enqueue(t, q, hi(alice)))
					}
					stop := run(q)
					time.Sleep(time.Minute)
					first := get(t, q, ids[0])
					require.Equal(t, want.status, first.Status)
					require.Equal(t, want.code, first.Code)
					require.NotEmpty(t, first.Err)
					if want.spent {
						require.Equal(t, 1, first.Attempts)
					} else {
						require.Zero(t, first.Attempts)
					}
					rest := []queue.Status{get(t, q, ids[1]).Status, get(t, q, ids[2]).Status}
					switch {
					case want.held:
						require.Equal(t, []queue.Status{queue.Queued, queue.Queued}, rest)
					case want.spent:
						require.Equal(t, []queue.Status{queue.Sent, queue.Queued}, rest)
					default:
						require.Equal(t, []queue.Status{queue.Sent, queue.Sent}, rest)
					}
					require.NoError(t, stop())
					d.check(t)
				})
			})
		}
	}
}

// does no harm.
func TestOutcome_LongAnswers(t *testing.T) {
	t.Parallel()
	text := "bad gateway: \xff\x00" + strings.Repeat("é", 1<<19)
	q := newQueue(t, policy.Unlimited(), queue.SenderFunc(func(_ context.Context, m queue.Message) (queue.Receipt, error) {
		switch m.Text {
		case "1":
			return queue.Receipt{}, queue.Drop(errors.New(text))
		case "2":
			return queue.Receipt{ID: text}, nil
		default:
			panic(text)
		}
	}), queue.Options{Clock: &queuetest.Clock{}})
	var ids []string
	for _, text := range []string{"1", "2", "3"} {
		ids = append(ids, enqueue(t, q, queue.Message{Account: alice, To: bob, Text: text}))
	}
	_, err := q.Step(t.Context())
	require.NoError(t, err)
	for i, id := range ids {
		r := get(t, q, id)
		for _, kept := range []string{r.Err, r.Receipt.ID} {
			require.LessOrEqual(t, len(kept), 4096, "%d", i)
			require.True(t, utf8.ValidString(kept))
			require.NotContains(t, kept, "\x00")
		}
	}
	require.True(t, strings.HasPrefix(get(t, q, ids[0]).Err, "bad gateway: "))
	require.Equal(t, queue.Sent, get(t, q, ids[1]).Status)
}
