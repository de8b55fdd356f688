package limiter

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sort"
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// A query is one request in front of the rules, with its shard's lock held.
type query struct {
	plan    *plan
	shard   *shard
	hash    uint64
	account uint32
	known   bool
	words   []int64
	dice    dice.Account
	rules   set
	at      instant
	asked   int64 // the tick that was given, which at may be ahead of
	cost    int64
}

// ask finds the account and the rules. Unless it finds a problem it leaves the
// shard locked.
func (l *Limiter) ask(q *query, now time.Time, req *Request) *RequestError {
	if p := req.problem(); p != nil {
		return p
	}
	q.at = l.instant(now)
	if !q.at.known() {
		return timeProblem(now)
	}
	q.asked = q.at.tick
	q.plan, q.hash, q.cost = l.plan, maphash.String(l.hash, req.Account), max(req.Cost, 1)
	q.rules = q.plan.covering(req.Action)
	q.shard = &l.shards[q.hash%shardCount]
	q.shard.mu.Lock()
	if q.account, q.known = q.shard.table.find(q.hash, req.Account); !q.known {
		if p := nulProblem("account", req.Account); p != nil {
			q.shard.mu.Unlock()
			return p
		}
		q.words = q.plan.fresh
		return nil
	}
	a := q.shard.table.account(q.account)
	if q.at.tick < a.last {
		q.at = l.overtaken(q.shard, a, q.at)
	}
	q.words, q.dice = q.shard.words.at(a.words), a.dice
	return nil
}

// open makes an account that has done nothing. It requires the shard's lock.
func (l *Limiter) open(q *query, key string) {
	s := q.shard
	q.account = s.table.add(q.hash, key)
	if s.words.row == 0 {
		s.words.row = q.plan.size
	}
	a := s.table.account(q.account)
	a.words, a.dice, a.last = s.words.take(), l.dice.Account(key), math.MinInt64
	q.words, q.dice = s.words.at(a.words), a.dice
	copy(q.words, q.plan.fresh)
}

// overtaken is the instant at for an account whose last is later: that last one
// where the caller was overtaken or the clock trembles. Otherwise the clock was
// set back, and the account's waits start again. It requires s.mu.
func (l *Limiter) overtaken(s *shard, a *account, at instant) instant {
	behind := since(a.last, at.tick)
	if behind <= uint64(tolerance) || at.steady && a.steady {
		return instant{a.last, add(at.wall, clamp(behind)), a.steady}
	}
	words := s.words.at(a.words)
	for k := range l.plan.rules {
		r := &l.plan.rules[k]
		r.rewind(cells{words[r.from:r.to], &s.logs, a.dice}, a.last, at.tick)
	}
	s.stale(a)
	a.saw(at)
	return at
}

// stale marks the permits in flight of an account whose clock was set back.
func (s *shard) stale(a *account) {
	if a.flight == 0 {
		return
	}
	head := a.flight - 1
	for n := head; ; {
		f := s.flights.one(n)
		f.stale = true
		if n = f.next; n == head {
			return
		}
	}
}

func (q *query) cells(r *rule) cells {
	return cells{q.words[r.from:r.to], &q.shard.logs, q.dice}
}

// decide asks every rule and reports the one that binds.
func (q *query) decide() Decision {
	var (
		binds *rule
		worst gate
	)
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		if g := r.ask(q.cells(r), q.at, q.cost); binds == nil || g.binds(worst) {
			binds, worst = r, g
		}
	}
	if binds == nil {
		return Decision{Gate: Gate{Answer: Allowed, Limit: math.MaxInt64, Remaining: math.MaxInt64}}
	}
	d := Decision{Gate: q.gate(binds, worst)}
	if worst.answer == Busy {
		d.RetryAfter = q.wait()
	}
	return d
}

// wait is how long the rules that know their time ask to wait.
func (q *query) wait() time.Duration {
	free := q.asked
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		if g := r.ask(q.cells(r), q.at, q.cost); g.answer == Later {
			free = max(free, g.free)
		}
	}
	return q.until(free)
}

func (q *query) gates() []Gate {
	var (
		gates []Gate
		raw   []gate
	)
	for rules := q.rules; rules != 0; rules &= rules - 1 {
		r := &q.plan.rules[rules.first()]
		g := r.ask(q.cells(r), q.at, q.cost)
		raw, gates = append(raw, g), append(gates, q.gate(r, g))
	}
	sort.Stable(byBinding{gates, raw})
	return gates
}

// gate is a rule's answer in the caller's terms.
func (q *query) gate(r *rule, g gate) Gate {
	out := Gate{Rule: r.name, Answer: g.answer, Limit: g.limit, Remaining: g.remaining}
	if g.answer == Later {
		out.RetryAfter = q.until(g.free)
	}
	if g.answer != Never {
		if reset := r.reset(q.cells(r), q.at, q.cost, g); reset != never {
			out.Reset = q.until(reset)
		}
	}
	return out
}

// until is how long it is from the time that was asked for to a tick.
func (q *query) until(tick int64) time.Duration {
	return time.Duration(max(sub(tick, q.asked), 0))
}

// binds reports whether g binds more than h: the stronger refusal, the later
// time, the smaller share left.
func (g gate) binds(h gate) bool {
	if g.answer != h.answer {
		return g.answer > h.answer
	}
	switch g.answer {
	case Later:
		return g.free > h.free
	case Allowed:
		ghi, glo := bits.Mul64(uint64(g.remaining), uint64(h.limit))
		hhi, hlo := bits.Mul64(uint64(h.remaining), uint64(g.limit))
		return ghi < hhi || ghi == hhi && glo < hlo
	}
	return false
}

type byBinding struct {
	gates []Gate
	raw   []gate
}

func (b byBinding) Len() int           { return len(b.raw) }
func (b byBinding) Less(i, j int) bool { return b.raw[i].binds(b.raw[j]) }
func (b byBinding) Swap(i, j int) {
	b.raw[i], b.raw[j] = b.raw[j], b.raw[i]
	b.gates[i], b.gates[j] = b.gates[j], b.gates[i]
}

func (s set) first() int { return bits.TrailingZeros64(uint64(s)) }
