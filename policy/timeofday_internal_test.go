package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimeOfDay(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Duration{
		"00:00":    0,
		"00:00:01": time.Second,
		"00:01":    time.Minute,
		"08:00":    8 * time.Hour,
		"20:30":    20*time.Hour + 30*time.Minute,
		"20:30:15": 20*time.Hour + 30*time.Minute + 15*time.Second,
		"23:59:59": wholeDay - time.Second,
		"24:00":    wholeDay,
	}
	for want, d := range tests {
		require.Equal(t, want, formatTimeOfDay(d))
		back, ok := parseTimeOfDay(want)
		require.True(t, ok, want)
		require.Equal(t, d, back)
	}
}

func TestTimeOfDayParsesBack(t *testing.T) {
	t.Parallel()
	for d := time.Duration(0); d <= wholeDay; d += 9 * time.Second {
		written := formatTimeOfDay(d)
		back, ok := parseTimeOfDay(written)
		if !ok || back != d {
			t.Fatalf("%v: wrote %s, read %v, %v", d, written, back, ok)
		}
		if d%time.Minute == 0 {
			if back, ok := parseTimeOfDay(written + ":00"); !ok || back != d {
				t.Fatalf("%v: with seconds read %v, %v", d, back, ok)
			}
		}
	}
}
