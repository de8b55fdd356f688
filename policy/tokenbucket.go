package policy

import (
	"math/bits"
	"time"
)

// A TokenBucket allows Max per Per on average and Burst at once. It starts full.
// Answers are those of golang.org/x/time/rate for times that never go back,
// except within 1 ns of a refill.
type TokenBucket struct {
	// Max is how many tokens come back in Per. Zero refuses everything; a
	// negative Max is an error.
	Max int64

	// Per is the time in which Max tokens come back. It must be positive.
	Per time.Duration

	// Burst is the bucket's size. Zero means 1; a negative Burst is an error.
	Burst int64
}

// Size is the number of tokens that a full bucket holds: Burst, or 1 where Burst
// is zero.
func (b TokenBucket) Size() int64 {
	if b.Burst == 0 {
		return 1
	}
	return b.Burst
}

func (TokenBucket) kind() string { return "token_bucket" }

func (TokenBucket) scopes() []Scope { return everyScope() }

func (b TokenBucket) check(report func(field string, value any, remedy string)) {
	checkMax(report, b.Max)
	checkPeriod(report, "per", b.Per)
	if b.Burst < 0 {
		report("burst", b.Burst, "use 1 or more, or 0 for 1")
	}
	if b.Max > 0 && b.Per > 0 && b.Burst > 0 {
		if hi, lo := bits.Mul64(uint64(b.Burst), uint64(b.Per)); hi >= uint64(b.Max) {
			report("burst", b.Burst, "filling it takes longer than 64 bits of nanoseconds hold; lower burst or per, or raise max")
		} else if fill, _ := bits.Div64(hi, lo, uint64(b.Max)); fill > uint64(MaxDuration) {
			report("burst", b.Burst, "filling it takes longer than "+formatDuration(MaxDuration)+"; lower burst or per, or raise max")
		}
	}
}

func (b TokenBucket) most(w time.Duration) int64 {
	if b.Max == 0 {
		return 0
	}
	// A full bucket, and what comes back until the last instant.
	return add(b.Size(), scale(int64(w-1), b.Max, int64(b.Per)))
}

func (b TokenBucket) encode(o *object) {
	o.number("max", b.Max)
	o.duration("per", b.Per)
	if b.Burst != 0 {
		o.number("burst", b.Burst)
	}
}

func decodeTokenBucket(f *fields) Limit {
	return TokenBucket{Max: f.number("max", required), Per: f.duration("per"), Burst: f.number("burst", optional)}
}
