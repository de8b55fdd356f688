package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	conflicting := writeFile(t, "conflicting.json",
		`{"rules":[{"name":"a","type":"gap","min":"9s","max":"5s"},{"name":"a","type":"window","max":-1}]}`)
	noJSON := writeFile(t, "no.json", `{"rules":`)
	unreadable := t.TempDir()
	tests := []struct {
		name string
		args []string
		want []string // parts of standard error
	}{
		{"unknown flag", []string{"-speed", "9"}, []string{"-speed", "-h lists the flags"}},
		{"a flag without its value", []string{"-in"}, []string{"-in", "-h lists the flags"}},
		{"a value apart", []string{"-typing", "false"}, []string{`"false"`, "-typing=false"}},
		{"a file without its flag", []string{"campaign.csv"}, []string{`"campaign.csv"`, "-in FILE"}},
		{"a seed that is no number", []string{"-seed", "x"}, []string{`"x"`, "-seed"}},
		{"a seed too large", []string{"-seed", "9223372036854775808"}, []string{"9223372036854775808", "-seed"}},
		{"a start on the real clock", []string{"-start", "2026-01-05T08:00:00Z"}, []string{"-start", "add -virtual"}},
		{"a start that is no time", []string{"-virtual", "-start", "monday"}, []string{`-start "monday"`, "2026-01-05T08:00:00Z"}},
		{"a start too early", []string{"-virtual", "-start", "1969-12-31T23:59:59Z"}, []string{"-start", "1970 to 2199"}},
		{"a start too late", []string{"-virtual", "-start", "2199-12-31T23:59:59-01:00"}, []string{"-start", "1970 to 2199"}},
		{"no account", []string{"-account", ""}, []string{`-account ""`, "name the account"}},
		{"a long account", []string{"-account", strings.Repeat("4", 257)}, []string{`-account "4444***`, "at most 256 bytes"}},
		{"an account with NUL", []string{"-account", "447700900001\x00"}, []string{`-account "4477******01`, "NUL"}},
		{"no file named", []string{"-in", ""}, []string{`-in ""`, "name a CSV file"}},
		{"a file that is not there", []string{"-in", "absent.csv"}, []string{"-in", "absent.csv", "can be read"}},
		{"a folder", []string{"-in", unreadable}, []string{"-in", unreadable, "can be read"}},
		{"an empty file", []string{"-in", writeFile(t, "empty.csv", "")}, []string{"-in", "empty.csv", "to,text"}},
		{"no header", []string{"-in", writeFile(t, "bare.csv", "447700900001,Hello\n")}, []string{"bare.csv", `"4477******01,Hello"`, "to,text"}},
		{"unknown policy", []string{"-policy", "gold"}, []string{`"gold"`, "strict, standard_policy, unlimited", "JSON file"}},
		{"no policy", []string{"-policy", ""}, []string{`""`, "strict, standard_policy, unlimited"}},
		{"a policy file that is not there", []string{"-policy", "absent.json"}, []string{"-policy", "absent.json", "can be read"}},
		{"a folder as policy", []string{"-policy", unreadable}, []string{"-policy", unreadable, "can be read"}},
		{"a policy that is not JSON", []string{"-policy", noJSON}, []string{"no.json", "line 1, column 9", "not JSON"}},
		{"a policy with several faults", []string{"-policy", conflicting}, []string{"rules[0].max: 5s", "rules[1].name", "rules[1].type"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := quickstart(t, tt.args...)
			require.Equal(t, exitUsage, status)
			require.Empty(t, stdout)
			require.True(t, strings.HasPrefix(stderr, "quickstart: "), stderr)
			for _, part := range tt.want {
				require.Contains(t, stderr, part)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := quickstart(t, "-h")
	require.Equal(t, exitSent, status)
	require.Empty(t, stderr)
	for _, name := range []string{"in", "policy", "account", "seed", "typing", "virtual", "start", "json"} {
		require.Contains(t, stdout, "  -"+name)
	}
}

func TestPolicyFile(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "mine.json", `{"slug":"mine","rules":[{"name":"pace","type":"gap","min":"3s","max":"3s"}]}`)
	sends := allSent(t, "-policy", file, "-typing=false")
	require.Len(t, sends, 5)
	for i, s := range sends[1:] {
		require.Equal(t, "3s", s.At.Sub(sends[i].Done).String())
	}
}

func TestWritingFails(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-virtual"}, {"-virtual", "-json"}} {
		var stderr strings.Builder
		status := run(t.Context(), args, fullDisk{}, &stderr)
		require.Equal(t, exitSome, status)
		require.Equal(t, "quickstart: standard output: no space left\n", stderr.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }
