package policy

import "time"

// A Gap asks for a pause after every Every-th send, counted from that send's
// end. The pause is drawn afresh for each send, evenly from Min to Max to the
// nanosecond, once, and then stands. The count to Every is never reset by a day,
// a pause or a restart. Where several gaps are due at once the longest holds;
// they never add up.
//
// A gap counts requests, whatever their cost. While one is not settled yet, its
// end is not known and the next request has to wait for it.
type Gap struct {
	// Min is the shortest pause. It must not be negative.
	Min time.Duration

	// Max is the longest pause. It must not be less than Min.
	Max time.Duration

	// Every says after how many requests a pause is due. Zero and 1 both mean
	// after each; a negative Every is an error.
	Every int64
}

// Period is the number of requests from one pause to the next: Every, or 1 where
// Every is zero.
func (g Gap) Period() int64 {
	if g.Every == 0 {
		return 1
	}
	return g.Every
}

func (Gap) kind() string { return "gap" }

func (Gap) scopes() []Scope { return []Scope{ScopeAccount, ScopeRecipient} }

func (g Gap) check(report func(field string, value any, remedy string)) {
	if g.Min < 0 {
		report("min", g.Min, "use 0s or more")
	}
	switch {
	case g.Max < 0 || g.Max < g.Min:
		report("max", g.Max, "use at least min, "+formatDuration(max(g.Min, 0)))
	case g.Max > MaxDuration:
		report("max", g.Max, "use at most "+formatDuration(MaxDuration))
	}
	if g.Every < 0 {
		report("every", g.Every, "use 1 or more, or 0 for 1")
	}
}

func (g Gap) most(w time.Duration) int64 { return g.mostWith(0, w) }

// mostWith is the most requests within w where each is followed by a pause of at
// least each, and every Period-th by one of at least Min as well.
func (g Gap) mostWith(each, w time.Duration) int64 {
	long := max(g.Min, each)
	if long == 0 {
		return unbounded
	}
	// Between the first and the last of n requests lie n-1 pauses, of which every
	// Period-th is a long one. Best is to start after a long one.
	round := add(multiply(g.Period()-1, int64(each)), int64(long))
	rounds, rest := int64(w-1)/round, int64(w-1)%round
	short := g.Period() - 1
	if each > 0 {
		short = min(short, rest/int64(each))
	}
	return add(add(multiply(rounds, g.Period()), short), 1)
}

func (g Gap) encode(o *object) {
	o.duration("min", g.Min)
	o.duration("max", g.Max)
	if g.Every != 0 {
		o.number("every", g.Every)
	}
}

func decodeGap(f *fields) Limit {
	return Gap{Min: f.duration("min"), Max: f.duration("max"), Every: f.number("every", optional)}
}
