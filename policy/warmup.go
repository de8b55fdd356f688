package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A WarmUp is the policies of a number that is new, from the strictest to the one
// that it is meant to have. It is plain data: which one is in force is a function of
// the number's history and the time, so it takes no timer. [SlowWarmUp] and
// [FastWarmUp] are ready.
type WarmUp struct {
	// Steps are the policies in their order. The first holds from the start.
	Steps []WarmUpStep
}

// A WarmUpStep is one policy of a [WarmUp], and what a number needs to come to it.
type WarmUpStep struct {
	// Policy is in force from this step to the next.
	Policy Policy

	// Age is how old the number has to be at least. It must be 0 in the first step
	// and never less than in the step before.
	Age time.Duration

	// UsedDays is on how many days the number has to have been used at least. It
	// must be 0 in the first step and never less than in the step before. Days are
	// UTC's.
	UsedDays int
}

// A History is what a number has been through.
type History struct {
	// Since is when the number came into use, which may be long before it was
	// paired. The zero time, and one that is still to come, mean just now.
	Since time.Time

	// Used are times at which the number was used, in any order and as many a day
	// as there are. Those before Since, and those still to come, do not count.
	Used []time.Time

	// Restricted are the times at which a restriction of the number began, such
	// as a temporary ban or a time-lock, in any order. Each takes it back a step.
	// Those before Since, and those still to come, do not count.
	Restricted []time.Time

	// Quality is the number's rating. While it is [Red] the number is a step
	// behind; other ratings, and none, change nothing.
	Quality Quality
}

// A Stage is where a number is in its warm-up. Where Age and UsedDays are both 0 and
// Step is not the last one, Quality keeps the number a step behind.
type Stage struct {
	// Step is the index of the step in force.
	Step int

	// Policy is that step's policy.
	Policy Policy

	// Age is how much older the number has to be for the next step, and 0 where it
	// is old enough, or in the last step.
	Age time.Duration

	// UsedDays is on how many more days the number has to be used for the next
	// step, and 0 where they are enough, or in the last step.
	UsedDays int
}

const maxUsedDays = int(MaxDuration / wholeDay)

// Validate reports everything about the steps that cannot be, or nil. The error is a
// join of [*FieldError] values; a step that is out of order is named.
func (w WarmUp) Validate() error {
	var found problems
	if len(w.Steps) == 0 {
		found.add("steps", raw("none"), "list at least one step")
	}
	for i, s := range w.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		var before WarmUpStep
		switch {
		case i == 0 && s.Age != 0:
			found.add(path+".age", s.Age, "use 0s: the first step holds from the start")
		case i > 0:
			before = w.Steps[i-1]
		}
		switch {
		case i > 0 && s.Age < before.Age:
			found.add(path+".age", s.Age, fmt.Sprintf("out of order: use at least the %s of steps[%d]", formatDuration(before.Age), i-1))
		case s.Age > MaxDuration:
			found.add(path+".age", s.Age, "use at most "+formatDuration(MaxDuration))
		}
		switch {
		case i == 0 && s.UsedDays != 0:
			found.add(path+".used_days", s.UsedDays, "use 0: the first step holds from the start")
		case i > 0 && s.UsedDays < before.UsedDays:
			found.add(path+".used_days", s.UsedDays, fmt.Sprintf("out of order: use at least the %d of steps[%d]", before.UsedDays, i-1))
		case s.UsedDays > maxUsedDays:
			found.add(path+".used_days", s.UsedDays, fmt.Sprintf("use at most %d", maxUsedDays))
		case i > 0 && s.Age == before.Age && s.UsedDays == before.UsedDays:
			found.add(path, raw("no more age or used_days than the step before"), fmt.Sprintf("out of order: ask for more of one of them, or leave out steps[%d], which never holds", i-1))
		}
		found.under(path+".policy", s.Policy.Validate())
	}
	return found.err()
}

// under adds the problems of a part that stands at path.
func (p *problems) under(path string, err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return
	}
	for _, err := range joined.Unwrap() {
		if field := (*FieldError)(nil); errors.As(err, &field) {
			p.add(path+"."+field.Path, raw(field.Value), field.Remedy)
		}
	}
}

// At is the step that a number with the history is in by now. The error is that of
// [WarmUp.Validate], or names a Quality that there is not.
//
// A number comes to a step once it has both its Age and its UsedDays: idle days make
// it older, and take it no further. A restriction takes it back to the step before
// the one it was in, as if it had just come to it, and from there it takes the same
// time again.
func (w WarmUp) At(h History, now time.Time) (Stage, error) {
	if err := w.Validate(); err != nil {
		return Stage{}, err
	}
	var found problems
	h.Quality.check(func(field string, value any, remedy string) { found.add(field, value, remedy) }, "quality")
	if err := found.err(); err != nil {
		return Stage{}, err
	}
	from := h.Since
	if from.IsZero() || from.After(now) {
		from = now
	}
	restricted := slices.DeleteFunc(slices.Clone(h.Restricted), func(t time.Time) bool { return t.Before(from) || t.After(now) })
	slices.SortFunc(restricted, time.Time.Compare)
	var start WarmUpStep // what the number has at from
	unused := from       // what it was used for before this is in start
	for _, t := range restricted {
		start = w.Steps[max(w.reached(start.after(t.Sub(from), h.usedDays(unused, t)))-1, 0)]
		from, unused = t, t.Add(1)
	}
	has := start.after(now.Sub(from), h.usedDays(unused, now))
	step := w.reached(has)
	if h.Quality == Red {
		step = max(step-1, 0)
	}
	stage := Stage{Step: step, Policy: w.Steps[step].Policy}
	if step+1 < len(w.Steps) {
		next := w.Steps[step+1]
		stage.Age = max(next.Age-has.Age, 0)
		stage.UsedDays = max(next.UsedDays-has.UsedDays, 0)
	}
	return stage, nil
}

// usedDays is on how many days the number was used from one time to another, both
// included.
func (h History) usedDays(from, to time.Time) int {
	days := make(map[[3]int]bool)
	for _, t := range h.Used {
		if !t.Before(from) && !t.After(to) {
			y, m, d := t.UTC().Date()
			days[[3]int{y, int(m), d}] = true
		}
	}
	return len(days)
}

// after is what a number that has s has once it is older and was used more.
func (s WarmUpStep) after(age time.Duration, usedDays int) WarmUpStep {
	return WarmUpStep{Age: time.Duration(add(int64(s.Age), int64(age))), UsedDays: s.UsedDays + usedDays}
}

// reached is the last step for which has is enough.
func (w WarmUp) reached(has WarmUpStep) int {
	for i, s := range slices.Backward(w.Steps) {
		if has.Age >= s.Age && has.UsedDays >= s.UsedDays {
			return i
		}
	}
	return 0
}
