package queue

import (
	"time"

	"github.com/wapace/wapace/internal/dice"
)

// Typing says how long typing is shown before a message: Start and PerRune for
// each rune of its text, at most Max, give or take Spread percent by the seed,
// and never more than Max. The zero Typing shows none.
type Typing struct {
	// Start is the time before the first rune. It must not be negative.
	Start time.Duration

	// PerRune is the time for each rune. It must not be negative.
	PerRune time.Duration

	// Max is the longest time. Zero shows no typing; it must not be negative.
	Max time.Duration

	// Spread is how far the time may be off either way, in percent from 0 to 100.
	Spread int
}

// DefaultTyping is 1.2 s and 45 ms a rune, at most 7 s, as forks of
// github.com/Sealjay/mcp-whatsapp type, give or take 25 %.
func DefaultTyping() Typing {
	return Typing{Start: 1200 * time.Millisecond, PerRune: 45 * time.Millisecond, Max: 7 * time.Second, Spread: 25}
}

func (t Typing) problem() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"start", t.Start}, {"per rune", t.PerRune}, {"max", t.Max}} {
		if f.d < 0 {
			return &OptionError{"typing " + f.name, f.d.String(), "use 0s or more"}
		}
	}
	if t.Spread < 0 || t.Spread > 100 {
		return optionError("typing spread", t.Spread, "use a percentage from 0 to 100")
	}
	return nil
}

// runes is how many runes of a text count: a long one is not read to its end.
func (t Typing) runes(text string) (n uint32) {
	if t.PerRune == 0 {
		return 0
	}
	most := max(t.Max-t.Start, 0) / t.PerRune
	for range text {
		if n++; time.Duration(n) > most {
			break
		}
	}
	return n
}

// bounds are the shortest and longest time for a text of so many runes that count.
func (t Typing) bounds(runes uint32) (least, most time.Duration) {
	base := min(t.Start, t.Max)
	if runes > 0 && t.PerRune > (t.Max-base)/time.Duration(runes) {
		base = t.Max
	} else {
		base += time.Duration(runes) * t.PerRune
	}
	off := base/100*time.Duration(t.Spread) + base%100*time.Duration(t.Spread)/100
	return base - off, base + min(off, t.Max-base)
}

// drawTyping is how long typing is shown for a message: the draw of its ID.
func (q *Queue) drawTyping(account string, m *core) time.Duration {
	return q.options.Typing.draw(q.dice.Account(account), m)
}

// typingName is dice.Name("typing"), which draws of typing times are of.
const typingName = 0xdf549e706fe78080

func (t Typing) draw(key dice.Account, m *core) time.Duration {
	least, most := t.bounds(m.runes)
	return key.Between(least, most, typingName, dice.Name(m.id))
}
