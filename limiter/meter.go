package limiter

import (
	"math"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/policy"
)

// A meter is one rule's arithmetic. It is immutable and shared by all accounts;
// what an account has spent is in its cells. ask and reset are pure functions of
// (cells, time); the others write.
type meter interface {
	// size is the number of words that the meter keeps for an account.
	size() int

	// fresh fills in the words of an account that has done nothing.
	fresh(words []int64)

	// ask says how the rule stands for a request of this cost.
	ask(c cells, at instant, cost int64) gate

	// reset is the tick at which the rule gives more, or never where only a
	// settled permit can tell. g is what ask said.
	reset(c cells, at instant, cost int64, g gate) int64

	// charge takes what ask allowed at the same instant.
	charge(c cells, at instant, cost int64, serial uint64)

	// spend is a charge that is settled as sent at the same instant.
	spend(c cells, at instant, cost int64, serial uint64)

	// settle turns a charge into what became of it, at the instant end.
	settle(c cells, r receipt, end instant, o Outcome)

	// rewind starts the waits that run at tick from again, in full, at tick to,
	// which is earlier.
	rewind(c cells, from, to int64)
}

// compile is the table of meters. A new kind of limit is one file and one row
// here.
func compile(limit policy.Limit, name string) meter {
	switch limit := limit.(type) {
	case policy.TokenBucket:
		return newTokenBucket(limit)
	case policy.SlidingWindow:
		if limit.Max > exactWindow {
			return newChunkedWindow(limit)
		}
		return newSlidingWindow(limit)
	case policy.CalendarWindow:
		return newCalendarWindow(limit)
	case policy.Gap:
		return newGap(limit, name)
	case policy.Concurrency:
		return concurrency{limit.Max}
	}
	return nil
}

// cells are what one account has spent under one rule.
type cells struct {
	words   []int64      // the meter's own
	logs    *logs        // where windows keep their charges
	account dice.Account // the key to its draws
}

// A gate is a rule's answer in ticks.
type gate struct {
	answer    Answer
	free      int64 // when a Later rule frees
	limit     int64
	remaining int64
}

// never as a tick stands for a time that is not known or not in reach.
const never = math.MaxInt64

// later refuses until a tick, or for good where that lies beyond the end of time.
func later(free, limit, remaining int64) gate {
	if free == never {
		return gate{Never, never, limit, remaining}
	}
	return gate{Later, free, limit, remaining}
}

// A receipt is what a permit remembers of its charge.
type receipt struct {
	at     instant
	cost   int64
	serial uint64
	stale  bool // the clock was set back since: entries cannot be told apart
}
