package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wapace/wapace/examples/internal/flags"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

const campaignFile, badFile = "testdata/campaign.csv", "testdata/campaign-bad.csv"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quickstart runs the program to its end.
func quickstart(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, complaints bytes.Buffer
	status = run(t.Context(), args, &out, &complaints)
	return out.String(), complaints.String(), status
}

// allSent runs a virtual campaign that has to succeed.
func allSent(t *testing.T, args ...string) []send {
	t.Helper()
	stdout, stderr, status := quickstart(t, append([]string{"-virtual", "-json"}, args...)...)
	require.Equal(t, exitSent, status, stderr)
	require.Empty(t, stderr)
	sends := readSends(t, stdout)
	ids := make(map[string]bool)
	for i, s := range sends {
		require.Equal(t, "sent", s.Status, "message %d", i)
		require.Empty(t, s.Code+s.Error)
		require.Equal(t, "447700900000", s.Account)
		require.False(t, ids[s.ID], "id %q is given twice", s.ID)
		ids[s.ID] = true
	}
	return sends
}

// A send is a line of -json.
type send struct {
	ID, Account, To     string
	At, Done            time.Time
	Typing              exact
	Status, Code, Error string
}

// calls is what queuetest.Audit reads.
func calls(sends []send) []queuetest.Call {
	var log []queuetest.Call
	for _, s := range sends {
		log = append(log, queuetest.Call{Account: s.Account, Action: policy.SendMessage, At: s.At, Done: s.Done})
	}
	return log
}

// exact is a number of seconds, read without rounding.
type exact time.Duration

func (e *exact) UnmarshalJSON(text []byte) error {
	d, err := time.ParseDuration(string(text) + "s")
	*e = exact(d)
	return err
}

func readSends(t *testing.T, stdout string) []send {
	t.Helper()
	order := regexp.MustCompile(`^\{"id":.*,"account":.*,"to":.*,("at":.*,"done":.*,)?"typing":[0-9.]+,"status":.*,"code":.*,"error":.*\}$`)
	var sends []send
	for l := range strings.Lines(stdout) {
		require.Regexp(t, order, strings.TrimSuffix(l, "\n"))
		var s send
		decoder := json.NewDecoder(strings.NewReader(l))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&s))
		sends = append(sends, s)
	}
	return sends
}

// recipients are the canonical recipients of a file, in order.
func recipients(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	require.NoError(t, err)
	var to []string
	for _, r := range records[1:] {
		a, err := queue.ParseAddress(r[0])
		require.NoError(t, err)
		to = append(to, a.String())
	}
	return to
}

// writeCampaign writes a file with n rows.
func writeCampaign(t testing.TB, n int) (name string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("to,text\n")
	for i := range n {
		fmt.Fprintf(&b, "4477009%05d,Message %d\n", i, i)
	}
	return writeFile(t, "campaign.csv", b.String())
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func perDay(sends []send) map[string]int {
	days := make(map[string]int)
	for _, s := range sends {
		days[s.At.UTC().Format(time.DateOnly)]++
	}
	return days
}

func TestStandardCampaign(t *testing.T) {
	t.Parallel()
	for _, typing := range []bool{true, false} {
		t.Run(fmt.Sprintf("typing %t", typing), func(t *testing.T) {
			t.Parallel()
			sends := allSent(t, "-seed", "7", "-start", "2026-01-05T08:00:00Z", "-in", campaignFile, fmt.Sprintf("-typing=%t", typing))

			var to []string
			for i, s := range sends {
				to = append(to, s.To)
				require.Equal(t, s.At, s.Done, "message %d took time", i)
				shown := time.Duration(s.Typing)
				if typing {
					require.True(t, 900*time.Millisecond <= shown && shown <= 7*time.Second, "message %d: typing for %v", i, shown)
				} else {
					require.Zero(t, shown, "message %d", i)
				}
				if i == 0 {
					require.Equal(t, time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).Add(shown), s.At)
					continue
				}
				least, most := 5*time.Second, 9*time.Second
				if i%20 == 0 {
					least, most = 30*time.Second, time.Minute
				}
				gap := s.At.Sub(sends[i-1].Done) - shown
				require.True(t, least <= gap && gap <= most, "before message %d: %v", i, gap)
			}
			require.Equal(t, recipients(t, campaignFile), to)
			require.Len(t, to, 500)
			require.Empty(t, queuetest.Audit(policy.Standard(), calls(sends)))
		})
	}
}

func TestStandardDays(t *testing.T) {
	t.Parallel()
	name := writeCampaign(t, 1200)
	sends := allSent(t, "-in", name)
	var to []string
	for _, s := range sends {
		to = append(to, s.To)
	}
	require.Equal(t, recipients(t, name), to)
	require.Equal(t, map[string]int{"2026-01-05": 500, "2026-01-06": 500, "2026-01-07": 200}, perDay(sends))
	require.Empty(t, queuetest.Audit(policy.Standard(), calls(sends)))
}

// The forecast is run on the limiter itself: a campaign without typing goes day for
// day as it says, to the nanosecond.
func TestCampaignGoesAsForecast(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for _, p := range []policy.Policy{policy.Standard(), policy.Strict()} {
		const n = 1200
		sends := allSent(t, "-policy", p.Slug, "-seed", "7", "-start", start.Format(time.RFC3339), "-typing=false", "-in", writeCampaign(t, n))
		found, err := limiter.Forecast(p, n, start, flags.Seed(7))
		require.NoError(t, err)
		require.Equal(t, n, found.Sent)
		for _, day := range found.Days {
			today := sends[:day.Sent]
			sends = sends[day.Sent:]
			require.True(t, day.First.Equal(today[0].At), "%s: %v, not %v", p.Slug, today[0].At, day.First)
			require.True(t, day.Last.Equal(today[day.Sent-1].At), "%s: %v, not %v", p.Slug, today[day.Sent-1].At, day.Last)
		}
		require.Empty(t, sends)
	}
}

func TestStrictCampaign(t *testing.T) {
	t.Parallel()
	sends := allSent(t, "-policy", "strict", "-in", campaignFile)
	require.Equal(t, map[string]int{"2026-01-05": 200, "2026-01-06": 200, "2026-01-07": 100}, perDay(sends))
	for i, s := range sends[1:] {
		gap := s.At.Sub(sends[i].Done) - time.Duration(s.Typing)
		if s.At.Day() == sends[i].At.Day() {
			require.Equal(t, time.Minute, gap, "before message %d", i+1)
		} else {
			midnight := s.At.Truncate(24 * time.Hour)
			require.Equal(t, midnight.Add(time.Duration(s.Typing)), s.At, "message %d", i+1)
		}
	}
	require.Empty(t, queuetest.Audit(policy.Strict(), calls(sends)))
}

func TestUnlimitedCampaign(t *testing.T) {
	t.Parallel()
	sends := allSent(t, "-policy", "unlimited", "-typing=false", "-start", "2027-02-03T04:05:06.000000007+02:00", "-in", campaignFile)
	require.Len(t, sends, 500)
	for i, s := range sends {
		require.Equal(t, time.Date(2027, 2, 3, 2, 5, 6, 7, time.UTC), s.At, "message %d", i)
	}
}

func TestSeedDecidesEveryByte(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, seed := range []string{"7", "8", "0", "-1"} {
		args := []string{"-virtual", "-json", "-seed", seed, "-in", campaignFile}
		once, _, status := quickstart(t, args...)
		again, _, _ := quickstart(t, args...)
		require.Equal(t, exitSent, status)
		require.True(t, once == again, "seed %s draws anew", seed)
		require.Empty(t, seen[once], "seed %s draws as another", seed)
		seen[once] = seed
	}
}

func TestBadRows(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := quickstart(t, "-virtual", "-json", "-in", badFile)
	require.Equal(t, exitSome, status)
	sends := readSends(t, stdout)
	require.Len(t, sends, 1)
	require.Equal(t, "447700900003", sends[0].To)
	require.Equal(t, "sent", sends[0].Status)

	want := []string{
		`line 2: to "": is empty; `,
		`line 3: to "**": has only 2 digits; `,
		`line 4: to "4477**************01": has 20 digits; `,
		`line 5: to "0770 *****23": starts with 0; `,
		`line 6: to "4477***A**23": has the letter 'A'; `,
		`line 7: to "4477******01": text is empty; `,
		`line 8: to "4477******01@example.com": has the unknown server "example.com"; `,
		`line 9: to "status@broadcast": is the status list, not a recipient; `,
		`line 10: to "4477******02": text is too long; `,
	}
	got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	require.Len(t, got, len(want))
	for i, reason := range want {
		remedy, found := strings.CutPrefix(got[i], reason)
		require.True(t, found, "%q does not begin with %q", got[i], reason)
		require.NotEmpty(t, remedy)
	}
	require.NotRegexp(t, `\d{7}`, stderr, "a number is written out")
}

func TestFailedMessages(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "none.json", `{"rules":[{"name":"none","type":"calendar_window","max":0,"unit":"day","location":"UTC"}]}`)
	stdout, stderr, status := quickstart(t, "-virtual", "-json", "-policy", file)
	require.Equal(t, exitSome, status)
	require.Equal(t, "quickstart: 5 of 5 messages failed\n", stderr)
	sends := readSends(t, stdout)
	require.Len(t, sends, 5)
	for _, s := range sends {
		require.Equal(t, "failed", s.Status)
		require.Equal(t, "NEVER_ALLOWED", s.Code)
		require.Contains(t, s.Error, `rule "none"`)
		require.Zero(t, s.At)
	}
	require.NotContains(t, stdout, `"at"`)
}

func TestSecondsAreExact(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                        "0",
		1:                        "0.000000001",
		10 * time.Second:         "10",
		3_482_913_745:            "3.482913745",
		1_500 * time.Millisecond: "1.5",
	} {
		require.Equal(t, want, seconds(d).String())
	}
}

func TestLargeCampaign(t *testing.T) {
	t.Parallel()
	const n = 5_000
	stdout, stderr, status := quickstart(t, "-virtual", "-json", "-policy", "unlimited", "-in", writeCampaign(t, n))
	require.Equal(t, exitSent, status, stderr)
	require.Equal(t, n, strings.Count(stdout, `"status":"sent"`))
}

func BenchmarkCampaign(b *testing.B) {
	name := writeCampaign(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		require.Equal(b, exitSent, run(b.Context(), []string{"-virtual", "-json", "-policy", "unlimited", "-in", name}, io.Discard, io.Discard))
	}
}
