package policy

import (
	"fmt"
	"time"
)

// SlowWarmUp takes a new number from 20 messages a day to [Standard] in a month: 20,
// then 50 from the 5th day, 100 from the 9th, 200 from the 16th and Standard's 500
// from the 32nd, at the gap of [Strict] until then.
//
// Ages and caps are those of DeskcommCRM's pacing engine, which has no cap at all
// from 31 days on. That the number must have been used on three of four days is this
// library's choice, and so is the way from strict to standard, which is Wawp's advice
// for new numbers.
func SlowWarmUp() WarmUp {
	return WarmUp{Steps: []WarmUpStep{
		{Policy: warming(20)},
		{Policy: warming(50), Age: 4 * wholeDay, UsedDays: 3},
		{Policy: warming(100), Age: 8 * wholeDay, UsedDays: 6},
		{Policy: warming(200), Age: 15 * wholeDay, UsedDays: 11},
		{Policy: Standard(), Age: 31 * wholeDay, UsedDays: 23},
	}}
}

// FastWarmUp takes a new number from 20 messages a day to [Standard] in a week of
// use: 20, 36, 65, 117, 210 and 378 on one day each, at the gap of [Strict], then
// Standard.
//
// The caps are those of baileys-antiban's warm-up, 20 on the first day and 1.8 times
// as many on each day after; it has 680 on the 7th day, more than Standard's 500.
// There the calendar graduates a number, here it takes a day of use for each step.
func FastWarmUp() WarmUp {
	var w WarmUp
	for i, most := range [...]int64{20, 36, 65, 117, 210, 378} {
		w.Steps = append(w.Steps, WarmUpStep{Policy: warming(most), Age: time.Duration(i) * wholeDay, UsedDays: i})
	}
	return WarmUp{Steps: append(w.Steps, WarmUpStep{Policy: Standard(), Age: 6 * wholeDay, UsedDays: 6})}
}

// warming is Strict with another cap a day, on sends and on checks.
func warming(perDay int64) Policy {
	p := Policy{
		Slug:        fmt.Sprintf("warm_up_%d", perDay),
		Name:        fmt.Sprintf("Warm-up, %d a day", perDay),
		Description: fmt.Sprintf("For a number that is warming up: one message a minute, %d a day.", perDay),
		Rules:       Strict().Rules,
	}
	for i, r := range p.Rules {
		if day, ok := r.Limit.(CalendarWindow); ok {
			day.Max = perDay
			p.Rules[i].Limit = day
		}
	}
	return p
}
