package queue

// A DayFull is what a queue does with a new message that finds the account's budget
// of the day used up.
type DayFull string

// The two ways.
const (
	// Defer takes the message in. It waits for the next day.
	Defer DayFull = "defer"

	// Reject refuses it with [DailyLimitReached].
	Reject DayFull = "reject"
)
