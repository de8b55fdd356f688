package policy

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Duration{
		"0s":                        0,
		"1ns":                       1,
		"5s":                        5 * time.Second,
		"1m":                        time.Minute,
		"10m":                       10 * time.Minute,
		"1m30s":                     90 * time.Second,
		"1h":                        time.Hour,
		"24h":                       24 * time.Hour,
		"1h10m":                     70 * time.Minute,
		"1h0m10s":                   time.Hour + 10*time.Second,
		"1h0m0.5s":                  time.Hour + time.Second/2,
		"-1h":                       -time.Hour,
		"876600h":                   MaxDuration,
		"-2562047h47m16.854775808s": math.MinInt64,
		"2562047h47m16.854775807s":  math.MaxInt64,
		"20m":                       20 * time.Minute,
		"20h":                       20 * time.Hour,
		"100.000001ms":              100*time.Millisecond + 1,
		"1.000001ms":                time.Millisecond + 1,
		"1h0m0.000000001s":          time.Hour + 1,
	}
	for want, d := range tests {
		require.Equal(t, want, formatDuration(d))
	}
}

func TestFormatDurationParsesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour}).Draw(t, "unit")
		d := unit * time.Duration(rapid.Int64Range(math.MinInt64/int64(unit), math.MaxInt64/int64(unit)).Draw(t, "count"))
		back, err := time.ParseDuration(formatDuration(d))
		if err != nil || back != d {
			t.Fatalf("%d: wrote %s, read %d, %v", d, formatDuration(d), back, err)
		}
	})
}
