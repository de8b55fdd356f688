package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

func plan(args ...string) (stdout, stderr string, status int) {
	var out, complaints strings.Builder
	status = run(args, &out, &complaints)
	return out.String(), complaints.String(), status
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestPlanNamesTheRuleOfEachDay(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := plan("-policy", "standard", "-messages", "1200", "-start", "2026-01-05T08:00:00Z", "-seed", "7")
	require.Equal(t, exitAll, status)
	require.Empty(t, stderr)
	require.Regexp(t, `(?s)^note: .*\n\nday .*
2026-01-05 +500 +500 +08:00:00 +09:1\d:\d\d +day .*
2026-01-06 +500 +1,000 +00:00:00 +01:1\d:\d\d +day .*
2026-01-07 +200 +1,200 +00:00:00 +00:2\d:\d\d +gap .*

1,200 messages under standard_policy: the last goes at 2026-01-07T00:2\d:\d\dZ, `, stdout)
}

func TestPlanOfEveryPreset(t *testing.T) {
	t.Parallel()
	for _, p := range policy.All() {
		stdout, stderr, status := plan("-policy", p.Slug, "-messages", "300")
		require.Equal(t, exitAll, status, "%s: %s", p.Slug, stderr)
		require.Contains(t, stdout, "300 messages under "+p.Slug+": the last goes at 2026-01-")
	}
}

func TestPlanThatNeverEnds(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "none.json", `{"slug":"none","rules":[{"name":"none","type":"calendar_window","max":0,"unit":"day"}]}`)
	stdout, stderr, status := plan("-policy", file)
	require.Equal(t, exitSome, status)
	require.Empty(t, stderr)
	require.Contains(t, stdout, `none of 1,000 messages under none ever goes: rule "none"`)
}

func TestPlanDrawsAChart(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "plan.svg")
	_, stderr, status := plan("-policy", "strict", "-svg", name)
	require.Equal(t, exitAll, status, stderr)
	file, err := os.Open(name)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	decoder := xml.NewDecoder(file)
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}

	_, stderr, status = plan("-svg", filepath.Join(name, "plan.svg"))
	require.Equal(t, exitSome, status)
	require.Contains(t, stderr, "plan: -svg: ")
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	conflicting := writeFile(t, "conflicting.json",
		`{"rules":[{"name":"a","type":"gap","min":"9s","max":"5s"},{"name":"a","type":"calendar_window","max":1,"unit":"day","location":"Mars/Olympus"}]}`)
	tests := []struct {
		args []string
		want []string // parts of standard error
	}{
		{[]string{"-speed", "9"}, []string{"-speed", "-h lists the flags"}},
		{[]string{"mine.json"}, []string{`"mine.json"`, "-policy FILE"}},
		{[]string{"-messages", "many"}, []string{`"many"`, "-messages"}},
		{[]string{"-messages", "-1"}, []string{"-1 messages", "use 0 to 10000000"}},
		{[]string{"-messages", "10000001"}, []string{"use 0 to 10000000"}},
		{[]string{"-start", "monday"}, []string{`-start "monday"`}},
		{[]string{"-start", "2200-01-01T00:00:00Z"}, []string{"1970 to 2199"}},
		{[]string{"-policy", "gold"}, []string{`"gold"`, "strict, standard_policy", "JSON file"}},
		{[]string{"-policy", conflicting}, []string{"rules[0].max: 5s", "rules[1].name", `rules[1].location: "Mars/Olympus"`}},
		{[]string{"-account", ""}, []string{`account ""`, "name the account"}},
		{[]string{"-account", "447700900001\x00"}, []string{`account "4477******01`, "NUL"}},
	}
	for _, tt := range tests {
		stdout, stderr, status := plan(tt.args...)
		require.Equal(t, exitUsage, status, tt.args)
		require.Empty(t, stdout)
		require.True(t, strings.HasPrefix(stderr, "plan: "), stderr)
		for _, part := range tt.want {
			require.Contains(t, stderr, part)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := plan("-h")
	require.Equal(t, exitAll, status)
	require.Empty(t, stderr)
	for _, name := range []string{"policy", "messages", "account", "start", "seed", "svg"} {
		require.Contains(t, stdout, "  -"+name)
	}
}

func TestWritingFails(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	require.Equal(t, exitSome, run(nil, fullDisk{}, &stderr))
	require.Equal(t, "plan: standard output: no space left\n", stderr.String())
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }
