package limiter

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// A Target is what a hold stops. Empty fields stand for any, so the zero Target is
// everything. Only one of Recipient, Campaign and NewContacts may be set.
type Target struct {
	// Account stops one account, or what the other fields name of it.
	Account string

	// Recipient stops what goes to a recipient.
	Recipient string

	// Campaign stops a campaign.
	Campaign string

	// NewContacts stops what goes to new contacts, and nothing else.
	NewContacts bool
}

// A stop is a hold in force. It is not changed once it can be seen.
type stop struct {
	until  int64 // on the wall
	reason string
	narrow bool // it names more than an account
}

// holds are a limiter's holds: those on an account are in its shard, the others here.
type holds struct {
	count  atomic.Int64 // of all, and of lookbacks: a limiter without any looks for none
	shared atomic.Int64 // of those that name no account
	boards [shardCount]board
}

// A board keeps holds that name no account. Its lock is taken after a shard's.
type board struct {
	mu  sync.RWMutex
	all map[Target]*stop
}

// board is the one that a target which names no account is on.
func (l *Limiter) board(t *Target) *board {
	key := t.Recipient
	if key == "" {
		key = t.Campaign
	}
	return &l.holds.boards[l.hash.of(key)%shardCount]
}

// where is where the holds on a target are, and the lock of that.
func (l *Limiter) where(t *Target) (sync.Locker, *map[Target]*stop) {
	if t.Account == "" {
		b := l.board(t)
		return &b.mu, &b.all
	}
	s := &l.shards[l.hash.of(t.Account)%shardCount]
	return &s.mu, &s.holds
}

// pin adds a hold to those that are kept with it. It requires their lock.
func (l *Limiter) pin(all *map[Target]*stop, t Target, added *stop, now int64) {
	if *all == nil {
		*all = make(map[Target]*stop)
	}
	l.counted(&t, extend(*all, t, added, now))
}

// counted says that there are so many more holds beside one on the target.
func (l *Limiter) counted(t *Target, more int64) {
	l.holds.count.Add(more)
	if t.Account == "" {
		l.holds.shared.Add(more)
	}
}

// pinned is the hold on a target, nil where there is none. It requires the lock of the
// account's shard.
func (l *Limiter) pinned(s *shard, t *Target) *stop {
	switch {
	case t.Account != "":
		return s.holds[*t]
	case l.holds.shared.Load() == 0:
		return nil
	}
	b := l.board(t)
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.all[*t]
}

// ErrHold is wrapped by every [HoldError].
var ErrHold = errors.New("limiter: bad hold")

// A HoldError says what is wrong with a hold. It wraps [ErrHold].
type HoldError struct {
	Field  string // the field's name in lower case
	Value  string // the value, with digits masked and cut to a line
	Remedy string // what to give instead
}

// Error names the field, the value and the remedy.
func (e *HoldError) Error() string {
	return fmt.Sprintf("limiter: hold: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrHold]) true.
func (e *HoldError) Unwrap() error { return ErrHold }

// Hold stops a target until a time, with a reason. It only ever moves forward: a
// hold that lasts longer already stays as it is, and only [Limiter.Release] ends
// one sooner. A zero until holds until it is released. until follows the wall
// clock. What is held is refused by the rule "hold". Errors: a target that names
// two things, a key that no request can have, an until that is not after now, no
// reason.
func (l *Limiter) Hold(now time.Time, t Target, until time.Time, reason string) error {
	if err := t.problem(); err != nil {
		return err
	}
	end := unixNano(until)
	switch {
	case until.IsZero():
		end = math.MaxInt64
	case !until.After(now):
		return &HoldError{"until", until.Format(time.RFC3339Nano), "use a time after now, or the zero time to hold until released"}
	}
	if reason == "" {
		return &HoldError{"reason", `""`, "say why, for whoever asks what it waits for"}
	}
	mu, all := l.where(&t)
	mu.Lock()
	defer mu.Unlock()
	l.pin(all, t, &stop{end, reason, t.narrow()}, unixNano(now))
	l.changed(t.Account)
	return nil
}

// Release ends the hold on exactly this target. It reports whether there was one.
// Holds on wider or narrower targets stay.
func (l *Limiter) Release(now time.Time, t Target) bool {
	mu, all := l.where(&t)
	mu.Lock()
	defer mu.Unlock()
	found, ok := (*all)[t]
	if !ok {
		return false
	}
	delete(*all, t)
	l.counted(&t, -1)
	l.changed(t.Account)
	return found.until > unixNano(now)
}

// extend adds a hold unless there is a longer one, forgets some that are long
// over, and returns how many more there are.
func extend(all map[Target]*stop, t Target, added *stop, now int64) int64 {
	before := int64(len(all))
	if old := all[t]; old == nil || old.until < added.until {
		all[t] = added
	}
	looks := 8
	for old, s := range all {
		if looks--; looks < 0 {
			break
		}
		if sub(now, s.until) > int64(longOver) {
			delete(all, old)
		}
	}
	return int64(len(all)) - before
}

// longOver is how long a hold is kept beyond its end, for a clock that runs ahead
// for a while.
const longOver = 48 * time.Hour

// narrow reports whether the target names more than an account.
func (t Target) narrow() bool { return t.Recipient != "" || t.Campaign != "" || t.NewContacts }

func (t Target) problem() error {
	named := 0
	for _, f := range []struct{ name, value string }{
		{"account", t.Account}, {"recipient", t.Recipient}, {"campaign", t.Campaign},
	} {
		if len(f.value) > MaxKey {
			return &HoldError{f.name, quoted(f.value), fmt.Sprintf("use at most %d bytes, not %d", MaxKey, len(f.value))}
		}
		if p := nulProblem(f.name, f.value); p != nil {
			return &HoldError{p.Field, p.Value, p.Remedy}
		}
	}
	for _, set := range []bool{t.Recipient != "", t.Campaign != "", t.NewContacts} {
		if set {
			named++
		}
	}
	if named > 1 {
		return &HoldError{"target", fmt.Sprintf("with %d fields", named), "name a recipient, a campaign or new contacts; hold each by itself"}
	}
	return nil
}

// stopped is the hold on a request that ends last, nil where none is in force. It
// requires the lock of the account's shard.
func (l *Limiter) stopped(s *shard, req *Request, wall int64) (longest *stop) {
	for _, account := range [...]string{req.Account, ""} {
		look := func(t Target) {
			t.Account = account
			if found := l.pinned(s, &t); found != nil && found.until > wall && (longest == nil || found.until > longest.until) {
				longest = found
			}
		}
		look(Target{})
		if req.Recipient != "" {
			look(Target{Recipient: req.Recipient})
		}
		if req.Campaign != "" {
			look(Target{Campaign: req.Campaign})
		}
		if req.NewContact {
			look(Target{NewContacts: true})
		}
	}
	return longest
}

// held is the meter of holds, which are no rule of a policy.
type held struct{}

func (held) layout() []cell { return nil }

func (held) fresh([]int64) {}

func (held) size() int64 { return 0 }

func (held) ask(cells, *claim) gate { return gate{answer: Allowed} }

func (held) charge(cells, *claim) bool { return false }

func (held) settle(cells, receipt, instant, Outcome) {}

func (held) rewind(cells, dice.Account, int64, int64) {}

func (held) idle(cells, instant) bool { return true }

func (held) counts() (family, time.Duration) { return nothing, 0 }

func (held) same(meter) bool { return true }

func (held) spent(cells, instant) []spending { return nil }

func (held) sound(saved) bool { return true }

func (held) inherit(cells, instant, []spending) []spending { return nil }

// gate is how a hold stands for a holder at an instant: a hold without an end
// frees only by name.
func (s *stop) gate(at instant) gate {
	switch {
	case s.until == math.MaxInt64:
		return gate{Busy, never, 0, never}
	case s.until > at.wall:
		return later(tickOf(s.until, at), 0)
	}
	return gate{Allowed, at.tick, 0, at.tick}
}
