package limiter

import (
	"math"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A meter is one rule's arithmetic. It is immutable and shared by all holders;
// what a holder has spent is in its cells. layout, ask and idle are pure
// functions; the others write.
type meter interface {
	// layout says what each word is that the meter keeps for a holder.
	layout() []cell

	// fresh fills in the words of a holder that has done nothing.
	fresh(words []int64)

	// size is what the rule allows at the most, as a Gate's Limit.
	size() int64

	// ask says how the rule stands for a request. It keeps no claim.
	ask(c cells, r *claim) gate

	// charge takes what ask allowed for the same claim. It is false where there is
	// nothing that could be given back. It keeps no claim.
	charge(c cells, r *claim) bool

	// settle turns a charge into what became of it, at the instant end.
	settle(c cells, r receipt, end instant, o Outcome)

	// rewind starts the waits that run at tick from again, in full, at tick to,
	// which is earlier. key is the one to the holder's draws.
	rewind(c cells, key dice.Account, from, to int64)

	// idle reports whether the holder is, from the instant on, as good as one that
	// has done nothing. It may have been charged since.
	idle(c cells, at instant) bool

	// counts is what the rule counts, and in what period.
	counts() (family, time.Duration)

	// same reports whether the meter, of the same meaning, keeps the same record as
	// another, so that the other's words are its own.
	same(other meter) bool

	// spent is what still counts at the instant, oldest first.
	spent(c cells, at instant) []spending

	// sound reports whether a record that is read from elsewhere, with times in
	// order and counts that are not negative, can be the meter's.
	sound(s saved) bool

	// inherit fills in fresh cells as if they had been charged so, oldest first. What
	// is over they cannot hold, though it may count for a later rule.
	inherit(c cells, at instant, spent []spending) (over []spending)
}

// compile is the table of meters. A new kind of limit is one file and one row
// here.
func compile(limit policy.Limit, name string) meter {
	switch limit := limit.(type) {
	case policy.TokenBucket:
		return newTokenBucket(limit)
	case policy.SlidingWindow:
		return newWindow(limit.Max, limit.Window)
	case policy.CalendarWindow:
		return newCalendarWindow(limit)
	case policy.Gap:
		return newGap(limit, name)
	case policy.Concurrency:
		return &concurrency{limit.Max}
	case policy.UniqueRecipients:
		return newUniqueRecipients(limit)
	case policy.NewContacts:
		return newContacts{newWindow(limit.Max, limit.Window)}
	case policy.ActiveHours:
		return newActiveHours(limit)
	}
	return nil
}

// ask is m.ask, and charge m.charge, by the meter's name: the compiler then sees
// that the claim is not kept and leaves it on the stack. A kind that is missing here
// costs an allocation.
func ask(m meter, c cells, r *claim) gate {
	switch m := m.(type) {
	case *gap:
		return m.ask(c, r)
	case *calendarWindow:
		return m.ask(c, r)
	case *concurrency:
		return m.ask(c, r)
	case *tokenBucket:
		return m.ask(c, r)
	case *slidingWindow:
		return m.ask(c, r)
	case *chunkedWindow:
		return m.ask(c, r)
	case *uniqueRecipients:
		return m.ask(c, r)
	case *activeHours:
		return m.ask(c, r)
	case newContacts:
		return m.ask(c, r)
	}
	kept := *r
	return m.ask(c, &kept)
}

func charge(m meter, c cells, r *claim) bool {
	switch m := m.(type) {
	case *gap:
		return m.charge(c, r)
	case *calendarWindow:
		return m.charge(c, r)
	case *concurrency:
		return m.charge(c, r)
	case *tokenBucket:
		return m.charge(c, r)
	case *slidingWindow:
		return m.charge(c, r)
	case *chunkedWindow:
		return m.charge(c, r)
	case *uniqueRecipients:
		return m.charge(c, r)
	case *activeHours:
		return m.charge(c, r)
	case newContacts:
		return m.charge(c, r)
	}
	kept := *r
	return m.charge(c, &kept)
}

// A cell says what a word of a meter is, so that words can be stored, moved to
// another clock, and given back when a holder is forgotten.
type cell uint8

const (
	aCount   cell = iota
	aTick         // a time on the scale of ticks; its extremes are no times
	aWall         // a time on the wall
	aSerial       // the serial of a permit
	aFlights      // a count of permits in flight
	aSends        // a count of sends, below the number of those that are in flight
	aSum          // a total that wraps around
	aLog          // the number of a log of ticks, 0 for none
	aTally        // the number of a log of counts, 0 for none
	aSet          // the number of a set of recipients, 0 for none
)

// cells are what one holder has spent under one rule.
type cells struct {
	words []int64 // the meter's own
	stock *stock  // where logs and sets are kept
}

// A demand is what a request asks of a rule.
type demand struct {
	cost      int64
	keep      int64        // what has to be left over
	recipient uint64       // the recipient, hashed under the holder's key
	key       dice.Account // the key to the holder's draws
}

// A claim is a demand that is made on a holder at an instant.
type claim struct {
	demand
	at     instant
	serial uint64 // of the charge
	ends   bool   // the request ends as it begins: charged, it is settled as sent
}

// fits reports whether a budget of that size can ever meet the demand.
func (d *demand) fits(size int64) bool { return d.keep <= size && d.cost <= size-d.keep }

// need is how much has to be there for a demand that fits.
func (d *demand) need() int64 { return d.cost + d.keep }

// A gate is a rule's answer in ticks. With four words it is handed on in registers.
type gate struct {
	answer    Answer
	free      int64 // when a Later rule frees
	remaining int64
	reset     int64 // when the rule gives more, or never where only a permit can tell
}

// never as a tick stands for a time that is not known or not in reach.
const never = math.MaxInt64

// later refuses until a tick, or for good where that lies beyond the end of time.
func later(free, remaining int64) gate {
	if free == never {
		return gate{Never, never, remaining, never}
	}
	return gate{Later, free, remaining, free}
}

// A receipt is what a permit remembers of its charge.
type receipt struct {
	claim
	stale bool // the clock was set back since: entries cannot be told apart
}
