package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The ramp against a sum of small steps.
func TestRamp_Stretch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Ramp{
			From: rapid.IntRange(1, 100).Draw(t, "from"),
			Over: time.Duration(rapid.IntRange(1, 600).Draw(t, "over")) * time.Second,
			Gap:  time.Duration(rapid.IntRange(0, 20).Draw(t, "gap")) * time.Second,
		}
		since := time.Duration(rapid.IntRange(0, 700).Draw(t, "since")) * time.Second
		pause := time.Duration(rapid.IntRange(0, 900).Draw(t, "pause")) * time.Second
		got := r.stretch(since, pause)
		if since >= r.Over {
			require.Equal(t, pause, got)
			return
		}
		const step = 10 * time.Millisecond
		passed, want := 0.0, time.Duration(0)
		for passed < max(pause, r.Gap).Seconds() {
			pace := 1.0
			if at := since + want; at < r.Over {
				a := float64(r.From) / 100
				pace = a + (1-a)*at.Seconds()/r.Over.Seconds()
			}
			passed += pace * step.Seconds()
			want += step
		}
		require.InDelta(t, want.Seconds(), got.Seconds(), 0.05+want.Seconds()/1000)
		require.GreaterOrEqual(t, got, pause)
	})
}

func TestRamp_StretchSaturates(t *testing.T) {
	t.Parallel()
	const most = time.Duration(1<<63 - 1)
	for _, r := range []Ramp{{From: 1, Over: time.Hour, Gap: most}, {From: 1, Over: most, Gap: most}, {From: 100, Over: most, Gap: most}, {From: 50, Over: most, Gap: 0}} {
		for _, since := range []time.Duration{-1, 0, time.Minute, most - 1} {
			for _, pause := range []time.Duration{0, time.Second, most / 4, most - 1, most} {
				if since >= r.Over {
					continue
				}
				got := r.stretch(since, pause)
				require.GreaterOrEqual(t, float64(got), 0.999*float64(max(pause, r.Gap)), "%+v, %v, %v", r, since, pause)
			}
		}
	}
}

func TestBackoff_Most(t *testing.T) {
	t.Parallel()
	b := DefaultBackoff()
	require.Equal(t, 5*time.Second, b.most(-1))
	require.Equal(t, 5*time.Second, b.most(1))
	require.Equal(t, 10*time.Second, b.most(2))
	require.Equal(t, 5*time.Minute, b.most(7))
	require.Equal(t, 5*time.Minute, b.most(1<<30))
	require.Zero(t, Backoff{Most: time.Hour}.most(9))
	require.Equal(t, time.Duration(1<<62), Backoff{First: 1, Most: 1<<63 - 1}.most(63))
	require.Equal(t, time.Duration(1<<63-1), Backoff{First: 1, Most: 1<<63 - 1}.most(64))
}
