package main

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fakeClock shows what the contenders of a test say that they took.
type fakeClock struct{ now time.Time }

func (c *fakeClock) Now() time.Time                       { return c.now }
func (c *fakeClock) After(time.Duration) <-chan time.Time { return nil }

// taking is a contender whose requests take ns each, and a log of its legs.
func (c *fakeClock) taking(name string, ns time.Duration, log *[]string) builder {
	return func() (contender, error) {
		*log = append(*log, "build "+name)
		return contender{run: func(n int) int {
			*log = append(*log, name)
			c.now = c.now.Add(time.Duration(n) * ns)
			return n
		}}, nil
	}
}

func TestMeterTakesTurns(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{}
	var log []string
	m := meter{clock: clock, leg: time.Millisecond, pairs: 3}
	r, err := m.measure("work", pair{"peer", clock.taking("ours", 30, &log), clock.taking("theirs", 40, &log)})
	require.NoError(t, err)
	require.Equal(t, "work", r.Work)
	require.Equal(t, "peer", r.Peer)
	require.InDelta(t, 30, float64(r.Ours), 1e-9)
	require.InDelta(t, 40, float64(r.Theirs), 1e-9)
	require.InDelta(t, 0.75, float64(r.Ratio), 1e-9)
	require.False(t, r.OursBytes.known())
	turn := []string{"build ours", "ours", "build theirs", "theirs"}
	require.Equal(t, append(append(turn, turn...), turn...), log[len(log)-12:])
}

func TestMeterMakesLegsOfTheTimeGiven(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{}
	var log []string
	s, err := meter{clock: clock, leg: 200 * time.Millisecond, pairs: 1}.side("work", clock.taking("ours", 50, &log))
	require.NoError(t, err)
	require.Equal(t, 4_000_000, s.n)
}

// TestMeterWeighsWhatHasKeys weighs so much that tests beside it do not count.
func TestMeterWeighsWhatHasKeys(t *testing.T) {
	t.Parallel()
	built := 0
	r, err := meter{clock: &fakeClock{}, leg: 1, pairs: 2}.measure("memory", pair{peer: "none", ours: func() (contender, error) {
		built++
		return contender{keys: 1000, holds: make([]byte, 100_000_000)}, nil
	}})
	require.NoError(t, err)
	require.Equal(t, 1, built)
	require.InDelta(t, 100_000, float64(r.OursBytes), 10_000)
	for _, f := range []figure{r.Ours, r.Theirs, r.Ratio, r.TheirsBytes, r.Allocs} {
		require.False(t, f.known())
	}
}

func TestMeterKeepsWhatHasKeys(t *testing.T) {
	t.Parallel()
	clock, built := &fakeClock{}, 0
	build := func() (contender, error) {
		built++
		return contender{keys: 1, run: func(n int) int { clock.now = clock.now.Add(time.Second); return n }}, nil
	}
	_, err := meter{clock: clock, leg: time.Second, pairs: 5}.measure("many", pair{"peer", build, build})
	require.NoError(t, err)
	require.Equal(t, 2, built)
}

func TestMeterRefusesWrongAnswers(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{}
	var log []string
	good := clock.taking("good", time.Millisecond, &log)
	broken := errors.New("broken")
	for name, bad := range map[string]struct {
		build builder
		want  string
	}{
		"allows too few":   {func() (contender, error) { return contender{run: func(n int) int { return n - 1 }}, nil }, "allowed 1023 of 1024 requests, want 1024"},
		"allows too many":  {func() (contender, error) { return contender{refuses: true, run: func(int) int { return 1 }}, nil }, "allowed 1 of 1024 requests, want 0"},
		"cannot be built":  {func() (contender, error) { return contender{}, broken }, "broken"},
		"fails in the end": {failingAfter(3, good, broken), "broken"},
	} {
		m := meter{clock: clock, leg: time.Second, pairs: 5}
		_, err := m.measure("work", pair{"peer", bad.build, good})
		require.ErrorContains(t, err, "benchmarks: work: wapace beside peer: ", name)
		require.ErrorContains(t, err, bad.want, name)
		_, err = m.measure("work", pair{"peer", good, bad.build})
		require.ErrorContains(t, err, "benchmarks: work: peer: ", name)
		require.ErrorContains(t, err, bad.want, name)
	}
}

// failingAfter is build n times and err from then on, again and again.
func failingAfter(n int, build builder, err error) builder {
	built := 0
	return func() (contender, error) {
		if built++; built > n {
			built = 0
			return contender{}, err
		}
		return build()
	}
}

func TestResultIsTheMedianOfThePairs(t *testing.T) {
	t.Parallel()
	// The machine was busy during the last pair. The median of the ratios is
	// not the ratio of the medians.
	r := result{}.timed([][2]leg{
		{{ns: 10, allocs: 0}, {ns: 20}},
		{{ns: 12, allocs: 1}, {ns: 10}},
		{{ns: 900, allocs: 2}, {ns: 1000}},
	})
	require.Equal(t, figure(12), r.Ours)
	require.Equal(t, figure(20), r.Theirs)
	require.Equal(t, figure(0.9), r.Ratio)
	require.Equal(t, figure(1), r.Allocs)
	require.InDelta(t, 0.7, float64(r.low), 1e-9)
	require.InDelta(t, 1.05, float64(r.high), 1e-9)
	require.Equal(t, figure(15), quantile([]float64{20, 10}, 0.5))
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for f, want := range map[figure]string{0: "0", 0.0004: "0", 0.91549: "0.915", 9.99: "9.99", 123.456: "123.5", 1e9: "1000000000", -3: "-3"} {
		require.Equal(t, want, f.String())
		b, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	require.Equal(t, "-", unknown().String())
	b, err := json.Marshal(unknown())
	require.NoError(t, err)
	require.Equal(t, "null", string(b))
}
