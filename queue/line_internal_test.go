package queue

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A waiter is a message of the model: the line as a plain list, searched each time.
type waiter struct {
	*Record

	it    *item
	due   time.Time
	away  bool // on its way
	order uint64
}

type lineModel struct {
	all    []*waiter
	passes map[string]uint64 // of priority and campaign, while it has messages
	stands map[int]uint64    // of a priority
	active map[string]bool   // it had a message that might go when it was last looked at
}

func nameOf(w *waiter) string { return fmt.Sprint(w.Priority, "/", w.Campaign) }

// leads reports whether nothing of the same priority, campaign and recipient came
// before.
func (m *lineModel) leads(w *waiter) bool {
	for _, other := range m.all {
		if other != w && other.order < w.order && nameOf(other) == nameOf(w) && other.To == w.To {
			return false
		}
	}
	return true
}

// heads is the first message of each campaign that may go.
func (m *lineModel) heads(now time.Time) map[string]*waiter {
	heads := map[string]*waiter{}
	for _, w := range m.all {
		if w.away || w.due.After(now) || !m.leads(w) {
			continue
		}
		if best := heads[nameOf(w)]; best == nil || w.order < best.order {
			heads[nameOf(w)] = w
		}
	}
	return heads
}

// refresh notes which campaigns have come to have a message that may go.
func (m *lineModel) refresh(now time.Time) {
	heads := m.heads(now)
	for name, w := range heads {
		if !m.active[name] {
			m.passes[name] = max(m.passes[name], m.stands[w.Priority])
		}
	}
	m.active = map[string]bool{}
	for name := range heads {
		m.active[name] = true
	}
	campaigns := m.campaigns()
	for name := range m.passes {
		if !campaigns[name] {
			delete(m.passes, name)
		}
	}
	if len(campaigns) < 2 { // nobody takes turns
		clear(m.passes)
		clear(m.stands)
	}
}

// campaigns is those that have messages.
func (m *lineModel) campaigns() map[string]bool {
	names := map[string]bool{}
	for _, w := range m.all {
		names[nameOf(w)] = true
	}
	return names
}

func (m *lineModel) first(now time.Time) *waiter {
	var first *waiter
	for name, w := range m.heads(now) {
		if first == nil {
			first = w
			continue
		}
		a, b := w.Priority, first.Priority
		pa, pb := m.passes[name], m.passes[nameOf(first)]
		if a > b || a == b && (pa < pb || pa == pb && w.order < first.order) {
			first = w
		}
	}
	return first
}

func (m *lineModel) drop(w *waiter) {
	for i, other := range m.all {
		if other == w {
			m.all = append(m.all[:i], m.all[i+1:]...)
			return
		}
	}
}

func TestLine_Model(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		dice := rand.New(rand.NewPCG(seed, 0))
		campaigns := []int{1, 3, 40}[dice.IntN(3)]
		recipients := []int{1, 3, 1000}[dice.IntN(3)]
		l := newLine(newShard(maphash.MakeSeed()))
		m := &lineModel{passes: map[string]uint64{}, stands: map[int]uint64{}}
		now := time.Unix(0, 0)
		var away []*waiter
		var seq uint64
		var late []uint64 // orders that were given out and have not come
		for range 120 {
			switch n := dice.IntN(10); {
			case n < 4:
				seq++
				order := seq
				if dice.IntN(10) == 0 {
					late = append(late, seq)
					continue
				}
				if len(late) > 0 && dice.IntN(3) == 0 {
					seq--
					order, late = late[0], late[1:]
				}
				r := &Record{Message: Message{
					ID: fmt.Sprint(order), To: fmt.Sprint(dice.IntN(recipients)), Campaign: fmt.Sprint(dice.IntN(campaigns)), Priority: dice.IntN(3),
				}}
				if dice.IntN(4) == 0 {
					r.NotBefore = now.Add(time.Duration(dice.IntN(20)) * time.Second)
				}
				r.Order, r.Version = order, 1
				w := &waiter{Record: r, it: new(Queue).item(r, false), due: r.NotBefore, order: order}
				overtaken := false
				for _, other := range m.all { // on its way: the late one comes behind it
					if other.away && other.order > order && nameOf(other) == nameOf(w) && other.To == r.To {
						overtaken = true
					}
				}
				if overtaken {
					continue
				}
				m.all = append(m.all, w)
				l.join(w.it, w.Campaign, w.Priority, now)
			case n < 6: // the next one goes
				w := m.first(now)
				if w == nil {
					continue
				}
				w.away = true
				away = append(away, w)
				name := nameOf(w)
				if len(m.campaigns()) > 1 {
					m.stands[w.Priority] = m.passes[name]
					m.passes[name]++
				}
				l.take(w.it)
				w.it.phase = onWire
			case n == 6 && len(away) > 0: // one comes back
				w := away[len(away)-1]
				away = away[:len(away)-1]
				w.away = false
				m.active[nameOf(w)] = true
				l.put(w.it)
				if !m.leads(w) {
					require.Fail(t, "it was on its way, so it is first")
				}
				all, _ := l.contenders()
				m.passes[nameOf(w)] = all[w.it.campaign.at].pass // held up against the others below
			case n == 7 && len(away) > 0: // one is done with
				i := dice.IntN(len(away))
				w := away[i]
				away = append(away[:i], away[i+1:]...)
				m.drop(w)
				l.leave(w.it, now)
				require.Nil(t, w.it.prev)
				require.Nil(t, w.it.next)
			case n == 8 && len(m.all) > 0: // one is cancelled
				w := m.all[dice.IntN(len(m.all))]
				if w.away {
					continue
				}
				m.drop(w)
				l.leave(w.it, now)
			default:
				now = now.Add(time.Duration(dice.IntN(5)) * time.Second)
				l.wake(now)
			}
			m.refresh(now)
			l.wake(now)
			want := m.first(now)
			if want == nil {
				require.Nil(t, l.first())
				continue
			}
			require.NotNil(t, l.first())
			require.Equal(t, want.order, l.first().seq)
			require.Equal(t, len(m.all), l.size())
			require.Same(t, want.it, l.find(want.Record))
		}
		for _, w := range append([]*waiter(nil), m.all...) {
			l.leave(w.it, now)
		}
		require.True(t, l.empty())
		require.Zero(t, l.shard().chains.n)
		require.Equal(t, rare{shard: l.shard()}, l.shard().common, "it is all lines', and nothing is put there")
		require.Equal(t, title{}, l.shard().chains.plain)
		require.Nil(t, l.rare.heard)
		require.Nil(t, l.rare.names)
		require.Nil(t, l.first())
		require.Nil(t, l.nextLater())
	}
}

// Ten thousand of bulk, and a login code: the code is next.
func TestLine_UrgentGoesNext(t *testing.T) {
	t.Parallel()
	l := newLine(newShard(maphash.MakeSeed()))
	now := time.Unix(0, 0)
	for n := range uint64(10_000) {
		l.join(&item{core: core{seq: n, to: "447700900001"}}, "", 0, now)
	}
	code := &item{core: core{seq: 10_000, to: "447700900001"}}
	l.join(code, "", 1, now)
	require.Same(t, code, l.first())
}
