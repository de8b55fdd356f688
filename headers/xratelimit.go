package headers

import "github.com/wapace/wapace/limiter"

func printXRateLimit(pg *page) {
	pg.triple(func(g *limiter.Gate) int64 { return ceilUnix(pg.now, g.Reset) })
}

func printXRateLimitDelta(pg *page) {
	pg.triple(func(g *limiter.Gate) int64 { return shortSeconds(g.Reset) })
}

// triple prints the limit that binds, which is the first.
func (pg *page) triple(reset func(*limiter.Gate) int64) {
	pg.gates(func(g *limiter.Gate, _ *row) bool {
		pg.integer("X-Ratelimit-Limit", g.Limit)
		pg.integer("X-Ratelimit-Remaining", max(g.Remaining, 0))
		pg.integer("X-Ratelimit-Reset", reset(g))
		return false
	})
}
