package limiter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

func table(t *testing.T, p *limiter.Projection) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.WriteTable(&b))
	return b.String()
}

func TestTableJoinsDaysThatSendNothing(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "month", Limit: policy.CalendarWindow{Max: 1000, Unit: policy.Month}},
		{Name: "hours", Limit: policy.ActiveHours{From: 8 * time.Hour, To: 20 * time.Hour, Days: policy.Days(time.Monday)}},
	}}
	require.Equal(t, `day                       sent   total  first     last      bound by  held by
2026-01-26                1,000  1,000  19:00:00  19:00:00  month     month 5h0m0s
2026-01-27 to 2026-01-31  0      1,000  -         -         month     month 5d
2026-02-01                0      1,000  -         -         hours     hours 1d
2026-02-02                500    1,500  08:00:00  08:00:00  hours     hours 8h0m0s

1,500 messages: the last goes at 2026-02-02T08:00:00Z, 6d13h0m0s after the start
`, table(t, forecast(t, p, 1500, at(26, 19, 0))))
}

func TestSummary(t *testing.T) {
	t.Parallel()
	none := only(policy.CalendarWindow{Unit: policy.Day})
	none.Slug = "none"
	tests := map[string]*limiter.Projection{
		"no messages under strict": forecast(t, policy.Strict(), 0, monday),
		"1 message under strict: the last goes at 2026-01-05T08:00:00Z, 0s after the start": forecast(t, policy.Strict(), 1, monday),
		`none of 1 message under none ever goes: rule "only"`:                               forecast(t, none, 1, monday),
		`none of 1,234 messages under none ever goes: rule "only"`:                          forecast(t, none, 1234, monday),
		`1 of 2 messages go, the last at 2200-01-01T00:00:00Z: then rule "only" lets none through`: forecast(t,
			only(policy.SlidingWindow{Max: 1, Window: policy.MaxDuration}), 2, time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)),
	}
	for want, p := range tests {
		require.Equal(t, want, p.Summary())
	}
}

// A name from a file cannot break out of its cell.
func TestTableOfHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range hostile() {
		p := policy.Policy{Slug: name, Rules: []policy.Rule{{Name: name, Limit: policy.Gap{Min: time.Second, Max: time.Second}}}}
		found, err := limiter.Forecast(p, 2, monday, 7)
		if err != nil {
			require.ErrorIs(t, err, policy.ErrInvalid)
			continue
		}
		lines := strings.Split(table(t, found), "\n")
		require.Len(t, lines, 5, "%q", lines)
		for _, line := range lines {
			require.Less(t, len([]rune(line)), 220)
		}
	}
}

// hostile are names that mean something to a terminal, a table or XML.
func hostile() []string {
	return []string{
		"a\tb\nc", "\x1b[2J", "</text><script>alert(1)</script>", `"&quot;'`, "]]>", "<!--", "\u202eevil", "\x00", "\xff\xfe", "\ufffe",
		strings.Repeat("long ", 50), strings.Repeat("界", 64), "%s%d", "🙂",
	}
}

// failing takes some bytes and then none.
type failing struct{ room int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	f.room -= len(b)
	if f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrorsComeBack(t *testing.T) {
	t.Parallel()
	p := forecast(t, policy.Strict(), 450, monday)
	for room := range len(table(t, p)) {
		require.ErrorIs(t, p.WriteTable(&failing{room}), errFull)
	}
	require.ErrorIs(t, p.WriteSVG(&failing{}), errFull)
}
