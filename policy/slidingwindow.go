package policy

import "time"

// A SlidingWindow allows never more than Max in any Window, wherever it starts.
// A window holds its first instant and not its last, so what was charged at t
// stops counting at exactly t + Window.
type SlidingWindow struct {
	// Max is the most that any Window may hold. Zero refuses everything; a
	// negative Max is an error.
	Max int64

	// Window is the window's length. It must be positive.
	Window time.Duration
}

func (SlidingWindow) kind() string { return "sliding_window" }

func (SlidingWindow) scopes() []Scope { return everyScope() }

func (w SlidingWindow) check(report func(field string, value any, remedy string)) {
	checkMax(report, w.Max)
	checkPeriod(report, "window", w.Window)
}

func (w SlidingWindow) most(span time.Duration) int64 { return multiply(w.Max, ceil(span, w.Window)) }

func (w SlidingWindow) encode(o *object) {
	o.number("max", w.Max)
	o.duration("window", w.Window)
}

func decodeSlidingWindow(f *fields) Limit {
	return SlidingWindow{Max: f.number("max", required), Window: f.duration("window")}
}
