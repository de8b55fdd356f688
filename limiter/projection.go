package limiter

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A Projection is what [Forecast] found: how many messages go on which day, and
// what holds the others back.
type Projection struct {
	// Policy is the policy's slug. It may be empty.
	Policy string

	// Asked is how many messages there are, and Sent how many of them go. They
	// differ where StoppedBy names a rule.
	Asked, Sent int

	// Start is when the first message was there, and End when the last one of
	// those that go goes. End is zero where none does.
	Start, End time.Time

	// StoppedBy is the rule that lets no more messages through, however long one
	// waits, or not before the year 2262. It is empty where all go.
	StoppedBy string

	// Days are the days from Start to End, in Start's time zone, without a gap.
	Days []Day
}

// A Day is one day of a [Projection].
type Day struct {
	// Date is the day, as midnight of it in UTC.
	Date time.Time

	// Sent is how many messages go.
	Sent int

	// First and Last are when the first and the last message of the day go. They
	// are zero where none does.
	First, Last time.Time

	// Held is which rules held a message back, and for how long of this day, the
	// longest first. It is empty where nothing did.
	Held []Held
}

// A Held is how long a rule held messages back.
type Held struct {
	// Rule is the rule's name, or "hold".
	Rule string

	// For is how long it did, in all. It is 0 where the rule lets no more through
	// at all: see Projection.StoppedBy.
	For time.Duration

	// Times is how many waits that was; one that goes over midnight counts on
	// both days.
	Times int
}

// Bound is the rule that held messages back for most of the time that anything
// did: the one to look at to send more on this day. It is empty where nothing did.
func (d Day) Bound() string {
	if len(d.Held) == 0 {
		return ""
	}
	return d.Held[0].Rule
}

// hold adds a wait to the day.
func (d *Day) hold(rule string, wait time.Duration) {
	i := slices.IndexFunc(d.Held, func(h Held) bool { return h.Rule == rule })
	if i < 0 {
		i = len(d.Held)
		d.Held = append(d.Held, Held{Rule: rule})
	}
	d.Held[i].For = time.Duration(add(int64(d.Held[i].For), int64(wait)))
	d.Held[i].Times++
	for ; i > 0 && d.Held[i].For > d.Held[i-1].For; i-- {
		d.Held[i], d.Held[i-1] = d.Held[i-1], d.Held[i]
	}
}

// took is how long the messages that go take.
func (p *Projection) took() time.Duration {
	if p.Sent == 0 {
		return 0
	}
	return p.End.Sub(p.Start)
}

// Summary is the projection in one sentence, with times to the second.
func (p *Projection) Summary() string {
	under := ""
	if p.Policy != "" {
		under = " under " + printable(p.Policy)
	}
	switch {
	case p.Asked == 0:
		return "no messages" + under
	case p.Sent == 0:
		return fmt.Sprintf("none of %s%s ever goes: rule %q", messages(p.Asked), under, printable(p.StoppedBy))
	case p.StoppedBy != "":
		return fmt.Sprintf("%s of %s%s go, the last at %s: then rule %q lets none through",
			thousands(p.Sent), messages(p.Asked), under, p.End.Format(time.RFC3339), printable(p.StoppedBy))
	}
	return fmt.Sprintf("%s%s: the last goes at %s, %s after the start", messages(p.Asked), under, p.End.Format(time.RFC3339), inDays(p.took()))
}

// WriteTable writes the projection as a table for people: a line a day with the
// rule that bound it, then the summary. Days that follow each other and send
// nothing share a line. Durations and times are to the second. The error is w's.
func (p *Projection) WriteTable(w io.Writer) error {
	var text bytes.Buffer // which takes everything
	text.WriteString("day\tsent\ttotal\tfirst\tlast\tbound by\theld by\n")
	total := 0
	for i := 0; i < len(p.Days); i++ {
		first, last := p.Days[i], p.Days[i]
		held := slices.Clone(first.Held)
		for first.Sent == 0 && i+1 < len(p.Days) && p.Days[i+1].Sent == 0 && p.Days[i+1].Bound() == first.Bound() {
			i++
			last = p.Days[i]
			held = merged(held, last.Held)
		}
		total += first.Sent
		date := first.Date.Format(time.DateOnly)
		if last.Date != first.Date {
			date += " to " + last.Date.Format(time.DateOnly)
		}
		_, _ = fmt.Fprintf(&text, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", date, thousands(first.Sent), thousands(total),
			clockOf(first.First), clockOf(first.Last), cmp.Or(printable(first.Bound()), "nothing"), waits(held))
	}
	var out bytes.Buffer
	rows := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	if _, err := rows.Write(text.Bytes()); err != nil {
		return err
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) { // a last column that is empty leaves spaces
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", p.Summary())
	return err
}

// merged adds up the waits of two days.
func merged(held, more []Held) []Held {
	sum := Day{Held: held}
	for _, h := range more {
		sum.hold(h.Rule, h.For)
	}
	return sum.Held
}

// waits are the rules and their times in one cell.
func waits(held []Held) string {
	parts := make([]string, len(held))
	for i, h := range held {
		parts[i] = printable(h.Rule)
		if h.For > 0 {
			parts[i] += " " + inDays(h.For)
		}
	}
	return strings.Join(parts, ", ")
}

func clockOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.TimeOnly)
}

// inDays is d for people, in days, hours, minutes and seconds, cut to the second.
func inDays(d time.Duration) string {
	d = d.Truncate(time.Second)
	const day = 24 * time.Hour
	switch {
	case d < day:
		return d.String()
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%dd%v", d/day, d%day)
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return thousands(n) + " messages"
}

// thousands is n with a comma between groups of three digits.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// printable is a name of a policy on one line, whatever a file called it.
func printable(name string) string {
	const most = 40
	clean := []rune(strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, name))
	if len(clean) > most {
		return string(clean[:most-1]) + "…"
	}
	return string(clean)
}
