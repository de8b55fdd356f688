package queue

import (
	"math"
	"time"
)

// A timing is how long calls of the sender take: the mean and the spread of those
// that were measured, the latest few hundred foremost.
type timing struct {
	mean float32
	rest uint32 // the variance, but for its last bits, which are how many were measured
}

// mostMeasured is how many measurements count about as much as the latest. It is what
// the last bits hold.
const mostMeasured = 0xff

func (t timing) measured() uint32 { return t.rest & mostMeasured }

func (t timing) variance() float32 { return math.Float32frombits(t.rest &^ mostMeasured) }

// measure adds one.
func (t *timing) measure(took time.Duration) {
	if took < 0 {
		return // the clock was set back
	}
	n := min(t.measured()+1, mostMeasured)
	part := 1 / float32(n)
	off := float32(took.Seconds()) - t.mean
	t.mean += part * off
	variance := (1 - part) * (t.variance() + part*off*off)
	t.rest = math.Float32bits(variance)&^mostMeasured | n
}

// An outlook is what a timing says of the calls to come, in seconds: their mean, the
// variance of one call, and the variance of what the mean is taken to be.
type outlook struct{ mean, each, doubt float64 }

// unmeasured is what is taken for true of calls before any was measured: that they
// take about a second, or anything up to three.
func unmeasured() outlook { return outlook{mean: 1, each: 1, doubt: 1} }

// outlook is what the timing says where prior is what others say. That counts as two
// measurements at first, and as nothing after eight.
func (t timing) outlook(prior outlook) outlook {
	n := float64(t.measured())
	held := max(2-n/4, 0)
	whole := held + n
	mean := (held*prior.mean + n*float64(t.mean)) / whole
	off, offPrior := float64(t.mean)-mean, prior.mean-mean
	each := (held*(prior.each+offPrior*offPrior) + n*(float64(t.variance())+off*off)) / whole
	if n == 0 {
		return prior
	}
	return outlook{mean: mean, each: each, doubt: each / whole}
}
