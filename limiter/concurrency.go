package limiter

// A concurrency counts the permits that are not settled yet.
//
// Words: the count.
type concurrency struct{ max int64 }

func (m concurrency) size() int { return 1 }

func (m concurrency) fresh(w []int64) { w[0] = 0 }

func (m concurrency) ask(c cells, at instant, _ int64) gate {
	left := m.max - c.words[0]
	switch {
	case m.max == 0:
		return gate{Never, never, m.max, 0}
	case left <= 0:
		return gate{Busy, never, m.max, 0}
	}
	return gate{Allowed, at.tick, m.max, left - 1}
}

func (m concurrency) reset(_ cells, at instant, _ int64, g gate) int64 {
	if g.answer == Allowed && g.remaining > 0 {
		return at.tick
	}
	return never
}

func (m concurrency) charge(c cells, _ instant, _ int64, _ uint64) { c.words[0]++ }

func (m concurrency) spend(cells, instant, int64, uint64) {}

func (m concurrency) settle(c cells, _ receipt, _ instant, _ Outcome) { c.words[0]-- }

func (m concurrency) rewind(cells, int64, int64) {}
