package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
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

// An error that cannot be asked for its text means what its verdict says. One that ends
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

// What a sender answers is kept as text that any store can keep, and of a size that
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

// A hold that a sender asks for by verdict is in force, however the recipient is spelled.
func TestVerdict_HoldsRecipientInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, spelled := range []string{bob, "+44 7700 900001", bob + "@s.whatsapp.net", bob + "@c.us"} {
		t.Run(spelled, func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet})
			h.Sender.Script(queuetest.Answer{Err: queue.Hold(errNo, limiter.Target{Recipient: spelled}, queuetest.Epoch().Add(24*time.Hour))})
			h.Enqueue(alice, bob, "1")
			h.Enqueue(alice, bob, "2")
			other := h.Enqueue(alice, carol, "3")
			h.Clock.Set(step(t, h))
			step(t, h)
			require.Equal(t, queue.Sent, get(t, h.Queue, other).Status)
			require.Len(t, h.Sender.Sent(), 2, "bob is left alone")
		})
	}
}

// Where the target of a verdict's hold cannot be, the whole account is held: the sender
// said stop.
func TestVerdict_HoldsAccountForBadTarget(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]limiter.Target{
		"no address":   {Recipient: "bob"},
		"two things":   {Recipient: bob, Campaign: "spring"},
		"too long":     {Campaign: strings.Repeat("x", limiter.MaxKey+1)},
		"NUL":          {Campaign: "a\x00b"},
		"long account": {Account: strings.Repeat("x", limiter.MaxKey+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logbook
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Logger: book.logger()})
			until := queuetest.Epoch().Add(24 * time.Hour)
			h.Sender.Script(queuetest.Answer{Err: queue.Hold(errNo, target, until)})
			ids := []string{h.Enqueue(alice, bob, "1"), h.Enqueue(alice, carol, "2"), h.Enqueue(carol, bob, "3")}
			step(t, h)
			require.Contains(t, book.String(), "a hold could not be made as the sender asked; its account is held")
			gates, err := h.Queue.Gates(t.Context(), ids[1])
			require.NoError(t, err)
			require.Len(t, gates, 1)
			require.Equal(t, queue.GateHold, gates[0].Kind)
			require.Equal(t, limiter.Target{Account: alice}, gates[0].Target)
			require.Equal(t, until, gates[0].Until)
			require.Equal(t, queue.Sent, get(t, h.Queue, ids[2]).Status)
		})
	}
}

// A nil context is an error that says so.
func TestNilContext(t *testing.T) {
	t.Parallel()
	q := newQueue(t, policy.Unlimited(), always, queue.Options{Store: queue.NewMemory(10)})
	var none context.Context
	calls := map[string]func() error{
		"Run":     func() error { return q.Run(none) },
		"Step":    func() error { _, err := q.Step(none); return err },
		"Enqueue": func() error { _, err := q.Enqueue(none, hi(alice)); return err },
		"Send":    func() error { _, err := q.Send(none, hi(alice)); return err },
		"Get":     func() error { _, err := q.Get(none, "x"); return err },
		"List":    func() error { _, err := q.List(none, queue.Filter{}); return err },
		"Cancel":  func() error { _, err := q.Cancel(none, "x"); return err },
		"Hold":    func() error { return q.Hold(none, limiter.Target{Account: alice}, time.Time{}, "x") },
		"Release": func() error { _, err := q.Release(none, limiter.Target{Account: alice}); return err },
		"Resolve": func() error { _, err := q.Resolve(none, "x", queue.WentOut); return err },
		"Confirm": func() error { _, err := q.Confirm(none, alice, "x", queue.Receipt{}); return err },
		"Gates":   func() error { _, err := q.Gates(none, "x"); return err },
		"ETA":     func() error { _, err := q.ETA(none, "x"); return err },
		"wrapped": func() error {
			l, err := limiter.New(policy.Unlimited(), nil)
			require.NoError(t, err)
			_, err = queue.Wrap(always, l, nil).Send(none, hi(alice))
			return err
		},
	}
	for name, call := range calls {
		require.NotPanics(t, func() {
			err := call()
			require.ErrorContains(t, err, "context nil", name)
			if name != "wrapped" {
				require.ErrorIs(t, err, queue.ErrOption, name)
			}
		}, name)
	}
	id := enqueue(t, q, hi(alice))
	require.NoError(t, func() error { _, err := q.Step(t.Context()); return err }(), "nothing has stopped")
	require.Equal(t, queue.Sent, get(t, q, id).Status)
}

// What NewWireID answers is looked at as what the caller gives is.
func TestEnqueue_BadWireIDs(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"too long": strings.Repeat("x", limiter.MaxKey+1), "NUL": "a\x00b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, policy.Unlimited(), always, queue.Options{NewWireID: func(queue.Message) string { return id }})
			_, err := q.Enqueue(t.Context(), hi(alice))
			var bad *queue.MessageError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "wire id", bad.Field)
			require.Zero(t, q.Undone())
		})
	}
}

// A ramp of the longest pauses saturates.
func TestRamp_LongestPause(t *testing.T) {
	t.Parallel()
	for _, ramp := range []queue.Ramp{
		{From: 1, Over: time.Hour, Gap: policy.MaxDuration},
		{From: 1, Over: policy.MaxDuration, Gap: time.Hour},
		{From: 1, Over: 1<<63 - 1, Gap: 1<<63 - 1},
	} {
		t.Run(fmt.Sprint(ramp.Over), func(t *testing.T) {
			t.Parallel()
			h := queuetest.NewOptions(t, policy.Unlimited(), &queue.Options{Typing: quiet, Ramp: &ramp})
			h.Sender.Script(queuetest.Answer{Err: queue.Offline(nil)})
			h.Enqueue(alice, bob, "1")
			h.Enqueue(alice, bob, "2")
			h.Clock.Set(step(t, h))
			next := step(t, h)
			require.Len(t, h.Sender.Sent(), 2)
			require.GreaterOrEqual(t, next.Sub(h.Clock.Now()), min(ramp.Gap, policy.MaxDuration))
		})
	}
}

// A breaking store calls at before and after it does what it is asked.
type breaking struct {
	queue.Store
	at func(method string, done bool)
}

func (s breaking) Add(ctx context.Context, r *queue.Record, since time.Time) (string, error) {
	s.at("Add", false)
	defer s.at("Add", true)
	return s.Store.Add(ctx, r, since)
}

func (s breaking) Change(ctx context.Context, r *queue.Record, p *queue.Pace) error {
	s.at(changes(r), false)
	defer s.at(changes(r), true)
	return s.Store.Change(ctx, r, p)
}

func (s breaking) Keep(ctx context.Context, p *queue.Pace) error {
	s.at("Keep", false)
	defer s.at("Keep", true)
	return s.Store.Keep(ctx, p)
}

func (s breaking) Get(ctx context.Context, id string) (queue.Record, error) {
	s.at("Get", false)
	defer s.at("Get", true)
	return s.Store.Get(ctx, id)
}

// A store that breaks off whoever calls it keeps no message back and sends none twice.
func TestStore_BreaksOff(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Get", "Begin", "Finish", "Requeue", "Keep"} {
		for _, after := range []bool{false, true} {
			for how, breaks := range map[string]func(){"panic": func() { panic("no disk for " + bob) }, "goexit": runtime.Goexit} {
				t.Run(fmt.Sprint(method, " ", how, " ", after), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						var d diary
						var book logbook
						armed := false
						store := breaking{queue.NewMemory(100), func(m string, done bool) {
							if armed && m == method && done == after {
								armed = false
								breaks()
							}
						}}
						var s verifying
						q := newQueue(t, rules(policy.Gap{Min: time.Second, Max: time.Second}, policy.Concurrency{Max: 1}), &s,
							queue.Options{OnEvent: d.write, Logger: book.logger(), Workers: 1, Store: store, Backoff: &queue.Backoff{}})
						var ids []string
						for _, account := range []string{alice, alice, carol} {
							ids = append(ids, enqueue(t, q, hi(account)))
						}
						armed = true
						stop := run(q)
						time.Sleep(time.Hour)
						require.False(t, armed)
						require.NoError(t, stop())
						for _, id := range ids {
							require.Equal(t, queue.Sent, get(t, q, id).Status, "%v\n%s", d.way(id), &book)
							require.LessOrEqual(t, s.wire[id], 2, "once, and once more because it was refused")
						}
						require.Zero(t, q.Lanes())
						require.Zero(t, q.Undone())
						require.NotContains(t, book.String(), bob)
						d.check(t)
					})
				})
			}
		}
	}
}

// A verifying sender verifies, types, and refuses each message once.
type verifying struct {
	mu   sync.Mutex
	wire map[string]int
}

func (s *verifying) Send(_ context.Context, m queue.Message) (queue.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire == nil {
		s.wire = map[string]int{}
	}
	if s.wire[m.ID]++; s.wire[m.ID] == 1 {
		return queue.Receipt{}, queue.Retry(errNo, 0)
	}
	return queue.Receipt{}, nil
}

func (*verifying) Typing(context.Context, queue.Message, time.Duration) error { return nil }

func (*verifying) Verify(context.Context, string, string) (queue.Verification, error) {
	return queue.Verification{Registered: true}, nil
}

// The queue goes on whatever its logger does.
func TestLogger_Panics(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]slog.Handler{"Enabled": brokenHandler{enabled: true}, "Handle": brokenHandler{}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := slog.New(brokenHandler{})
			if h == nil {
				l = &slog.Logger{}
			} else {
				l = slog.New(h)
			}
			clock := &queuetest.Clock{}
			s := &queuetest.Sender{Clock: clock}
			s.Script(queuetest.Answer{Panic: "no session"}, queuetest.Answer{Err: queue.Hold(errNo, limiter.Target{Recipient: carol}, time.Time{})})
			q := newQueue(t, policy.Unlimited(), s, queue.Options{Clock: clock, Logger: l, OnEvent: func(queue.Event) { panic("no listener") }})
			ids := []string{enqueue(t, q, hi(alice)), enqueue(t, q, hi(alice))}
			for range 10 {
				next, err := q.Step(t.Context())
				require.NoError(t, err)
				clock.Set(next)
			}
			require.Equal(t, queue.InDoubt, get(t, q, ids[0]).Status)
			require.Equal(t, queue.Sent, get(t, q, ids[1]).Status)
		})
	}
}

type brokenHandler struct{ enabled bool }

func (h brokenHandler) Enabled(context.Context, slog.Level) bool {
	if h.enabled {
		panic("no logger")
	}
	return true
}

func (brokenHandler) Handle(context.Context, slog.Record) error { panic("no logger") }

func (h brokenHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h brokenHandler) WithGroup(string) slog.Handler { return h }

// A logger that ends the goroutine of whoever logs keeps no message back.
func TestLogger_Goexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		l := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
			if n++; n%2 == 0 {
				runtime.Goexit()
			}
			return len(p), nil
		}), &slog.HandlerOptions{Level: slog.LevelWarn}))
		store := flaky{queue.NewMemory(100), func(string) fault { return []fault{works, failsBefore, failsAfter}[rand.IntN(3)] }}
		var s verifying
		q := newQueue(t, policy.Unlimited(), &s, queue.Options{Logger: l, Store: queue.NewMemory(10), Workers: 2, Backoff: &queue.Backoff{}})
		q.SetStore(store)
		var ids []string
		for len(ids) < 50 {
			id, err := "", error(nil)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				id, err = q.Enqueue(t.Context(), hi(number(len(ids)%5)))
			}()
			<-ended
			if err == nil && id != "" {
				ids = append(ids, id)
			}
		}
		stop := run(q)
		time.Sleep(24 * time.Hour)
		_ = stop()
		q.SetStore(store.Store)
		for _, id := range ids {
			require.Equal(t, queue.Sent, get(t, q, id).Status)
			require.Equal(t, 2, s.wire[id])
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
