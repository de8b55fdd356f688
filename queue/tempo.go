package queue

import (
	"math"
	"math/rand/v2"
	"time"
)

// A tempo says how long the calls of the sender take in a future. The first future
// that it is used in is the likely one: in it they take the times that calls have
// taken, in a mix. Those after it say how much sooner or later a message may go: in
// them each call takes so much less or more that the calls are off in all by what
// may be expected of so many. What the limiter makes up for on the way does not
// count: how far off a future is, is what it is off from the likely one.
type tempo struct {
	sends, checks mix
	start         time.Time
	lean          float64          // 0, -1 for sooner, 1 for later
	calls         int              // how many began
	likely        *[]time.Duration // when each call of the likely future began, after start
}

// leaning is the tempo of the next future that begins as t does.
func (t *tempo) leaning(lean float64) *tempo {
	own := *t
	if own.lean = lean; lean == 0 {
		*own.likely = (*own.likely)[:0]
	}
	return &own
}

// certain reports whether all calls of a mix take one time.
func (m *mix) certain() bool { return m.each == 0 && m.doubt == 0 }

// reach is how many standard deviations a message may be off: about 9 in 10 are less.
const reach = 1.75

// next is how long the call takes that begins now.
func (t *tempo) next(now time.Time, m *mix) time.Duration {
	began := now.Sub(t.start)
	i := t.calls
	t.calls++
	took := m.next()
	if t.lean == 0 {
		*t.likely = append(*t.likely, began)
		return seconds(took)
	}
	var off float64
	if i = min(i, len(*t.likely)-1); i >= 0 {
		off = math.Abs((began - (*t.likely)[i]).Seconds()) / reach
	}
	return seconds(took + t.lean*reach*m.grows(off))
}

// grows is how much more the sum of calls is off with one call more, where it is off
// by so much.
func (o outlook) grows(off float64) float64 {
	// After n calls the variance is each n + doubt n^2.
	v := off * off
	n := 0.0
	switch {
	case o.doubt > 0:
		n = (math.Sqrt(o.each*o.each+4*o.doubt*v) - o.each) / (2 * o.doubt)
	case o.each > 0:
		n = v / o.each
	}
	n++
	return max(math.Sqrt(o.each*n+o.doubt*n*n)-off, 0)
}

// beyond is when so many calls more have been made that go on as fast as those did up
// to now.
func (t *tempo) beyond(now time.Time, calls int) time.Time {
	took := float64(calls) / float64(t.calls) * float64(now.Sub(t.start))
	return now.Add(time.Duration(min(took, float64(math.MaxInt64/2))))
}

// left is how long a call goes on that has gone on for a time.
func (t *tempo) left(gone time.Duration, m *mix) time.Duration {
	if t.lean < 0 {
		return 0
	}
	return max(seconds(m.mean+t.lean*reach*math.Sqrt(m.each+m.doubt))-max(gone, 0), 0)
}

// A mix is calls whose times are spread as an outlook says, evenly mixed: each run of
// mixed calls has the same times, in another order.
type mix struct {
	outlook
	times *[mixed]float64
	order [mixed]uint8
	i     int
	dice  rand.PCG
}

const mixed = 64

// newMix is the calls of an outlook, in an order by the seed. Their times are spread
// log-normally, as those of most calls over a network are.
func newMix(o outlook, seed uint64) mix {
	m := mix{outlook: o, times: new([mixed]float64)}
	m.dice.Seed(seed, mixed)
	spread, middle := 0.0, 0.0
	if o.mean > 0 {
		spread = math.Log1p(o.each / (o.mean * o.mean))
		middle = math.Log(o.mean) - spread/2
	}
	sum := 0.0
	for i := range m.times {
		m.order[i] = uint8(i)
		if o.mean > 0 {
			m.times[i] = math.Exp(middle + math.Sqrt(2*spread)*math.Erfinv((2*float64(i)+1)/mixed-1))
		}
		sum += m.times[i]
	}
	for i := range m.times {
		m.times[i] += o.mean - sum/mixed
	}
	return m
}

// next is how long the next call takes, in seconds.
func (m *mix) next() float64 {
	if m.i == 0 {
		for i := mixed - 1; i > 0; i-- {
			j := m.dice.Uint64() % uint64(i+1)
			m.order[i], m.order[j] = m.order[j], m.order[i]
		}
	}
	took := m.times[m.order[m.i]]
	m.i = (m.i + 1) % mixed
	return took
}

// seconds is s seconds, none where it is negative.
func seconds(s float64) time.Duration {
	return time.Duration(max(s, 0) * float64(time.Second))
}
