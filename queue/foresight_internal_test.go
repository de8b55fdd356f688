package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// A hand is a clock that is set by hand.
type hand struct{ now time.Time }

func (c *hand) Now() time.Time { return c.now }

func (*hand) After(time.Duration) <-chan time.Time { return nil }

// A dawdler takes a random time for each message, and shows typing.
type dawdler struct {
	clock *hand
	dice  *rand.Rand
}

func (s *dawdler) Send(context.Context, Message) (Receipt, error) {
	s.clock.now = s.clock.now.Add(time.Duration(s.dice.Int64N(int64(4 * time.Second))))
	return Receipt{}, nil
}

type typingDawdler struct{ dawdler }

func (*typingDawdler) Typing(context.Context, Message, time.Duration) error { return nil }

// lanes of all kinds, part of whose messages are sent.
func laneOf(t *testing.T, dice *rand.Rand, seed uint64) (q *Queue, waiting []string) {
	t.Helper()
	limits := [][]policy.Limit{
		{policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}, policy.CalendarWindow{Max: 60, Unit: policy.Day}},
		{policy.Gap{Min: time.Second, Max: 9 * time.Second, Every: 3}, policy.SlidingWindow{Max: 8, Window: time.Minute}, policy.CalendarWindow{Max: 30, Unit: policy.Day}, policy.CalendarWindow{Max: 9, Unit: policy.Hour}},
		{policy.TokenBucket{Max: 20, Per: time.Minute, Burst: 5}, policy.Concurrency{Max: 1}},
		{policy.UniqueRecipients{Max: 20, Window: 48 * time.Hour}, policy.CalendarWindow{Max: 25, Unit: policy.Day}},
		{policy.Gap{Min: time.Minute, Max: 2 * time.Hour}, policy.CalendarWindow{Max: 20, Unit: policy.Day}},
		{policy.Gap{Min: 4 * time.Second, Max: 9 * time.Second}, policy.ActiveHours{From: 9 * time.Hour, To: 17 * time.Hour}, policy.CalendarWindow{Max: 50, Unit: policy.Day}},
		{},
	}
	var p policy.Policy
	for i, l := range limits[dice.IntN(len(limits))] {
		p.Rules = append(p.Rules, policy.Rule{Name: fmt.Sprint("rule ", i), Limit: l})
	}
	clock := &hand{time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}
	own := dawdler{clock, rand.New(rand.NewPCG(seed, 3))}
	var s Sender = &own
	if dice.IntN(2) == 0 {
		s = &typingDawdler{own}
	}
	options := &Options{Clock: clock, Seed: seed + 1, KeepForUrgent: int64(dice.IntN(2))}
	if dice.IntN(3) == 0 {
		options.Portfolio = func(string) string { return "all of them" }
		for i := range p.Rules {
			if _, ok := p.Rules[i].Limit.(policy.CalendarWindow); ok {
				p.Rules[i].Scope = policy.ScopePortfolio
			}
		}
	}
	q, err := New(p, s, options)
	require.NoError(t, err)
	rare := dice.IntN(3)
	for i := range 150 + dice.IntN(100) {
		m := Message{
			Account: "447700900000", To: fmt.Sprint(int64(447700900000) + int64(dice.IntN(200))), Text: "hello"[:1+dice.IntN(4)],
			Campaign: fmt.Sprint("campaign ", dice.IntN(3)), Priority: dice.IntN(20) / 19,
		}
		if rare == 0 && dice.IntN(20) == 0 {
			m.NotBefore = clock.now.Add(time.Duration(dice.Int64N(int64(48 * time.Hour))))
		}
		if rare == 1 && dice.IntN(20) == 0 {
			m.ExpiresAt = clock.now.Add(time.Duration(1 + dice.Int64N(int64(48*time.Hour))))
		}
		if id, err := q.Enqueue(t.Context(), m); err == nil {
			waiting = append(waiting, id)
		}
		if i%30 == 0 {
			next, err := q.Step(t.Context())
			require.NoError(t, err)
			clock.now = latest(clock.now, next)
		}
	}
	for range dice.IntN(100) {
		next, err := q.Step(t.Context())
		require.NoError(t, err)
		clock.now = latest(clock.now, next)
	}
	return q, waiting
}

// Whatever a future leaves out, because it can go no other way, changes nothing: a lane
// that is stepped as the queue steps it comes to the same, in all three futures.
func TestForesight_ShortWaysLeadTheSameWay(t *testing.T) {
	t.Parallel()
	marches, dawns := 0, 0
	for seed := range uint64(60) {
		dice := rand.New(rand.NewPCG(seed, 1))
		q, waiting := laneOf(t, dice, seed)
		for range 6 {
			r, err := q.Get(t.Context(), waiting[dice.IntN(len(waiting))])
			require.NoError(t, err)
			if r.Status != Queued {
				continue
			}
			estimate := func(leave func(f *foresight)) Estimate {
				f, err := q.foresee(&r)
				require.NoError(t, err)
				leave(f)
				e, err := f.estimate(t.Context())
				require.NoError(t, err)
				if f.march != nil {
					marches++
					if f.march.dawn != nil {
						dawns++
					}
				}
				return e
			}
			whole := estimate(func(f *foresight) { f.march = nil })
			require.Equal(t, whole, estimate(func(*foresight) {}), "seed %d, %s", seed, r.ID)
			require.Equal(t, whole, estimate(func(f *foresight) {
				if f.march != nil {
					f.march.nights = nil
				}
			}), "seed %d, %s", seed, r.ID)
		}
	}
	require.Greater(t, marches, 200)
	require.Greater(t, dawns, 30)
}

// A lane that goes on while it is copied is copied again, and at last under one lock.
func TestForesight_OfALaneThatGoesOn(t *testing.T) {
	t.Parallel()
	q, err := New(policy.Unlimited(), &dawdler{}, &Options{Clock: &hand{time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}})
	require.NoError(t, err)
	var r Record
	for range 3 * mostMarked {
		id, err := q.Enqueue(t.Context(), Message{Account: "447700900000", To: "447700900001", Text: "hello"})
		require.NoError(t, err)
		r, err = q.Get(t.Context(), id)
		require.NoError(t, err)
	}
	s := q.shardOf(r.Account)
	l := s.lanes.find(r.Account)
	s.mu.Lock()
	defer s.mu.Unlock()
	moves := map[string]func(){
		"one comes": func() {
			l.line.join(&item{core: core{to: "1", seq: 1 << 20}}, "", 0, q.clock.Now())
		},
		"one goes": func() { l.line.leave(l.line.first(), q.clock.Now()) },
		"one waits": func() {
			it := l.line.first()
			l.line.unlist(it)
			l.line.delay(it, q.clock.Now().Add(time.Hour))
		},
		"one is on its way": func() { l.start(l.line.first(), typing, q.clock.Now()) },
		"it is on the wire": func() { l.claimed[0].phase = onWire },
	}
	for _, name := range []string{"one comes", "one goes", "one waits", "one is on its way", "it is on the wire"} {
		_, ok := l.sketch(&r, false, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			moves[name]()
		})
		require.False(t, ok, name)
		require.Empty(t, s.sketches)
	}
	sketch, ok := l.sketch(&r, false, func() {})
	require.True(t, ok)
	require.Len(t, sketch.marks, l.line.size())
	sketch, ok = l.sketch(&r, true, func() {})
	require.True(t, ok)
	require.Equal(t, r.ID, sketch.marks[sketch.target].id)
}
