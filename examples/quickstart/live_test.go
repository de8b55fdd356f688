package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/queue"
)

// A printout is a standard output that keeps the time of each write. It may say
// that it is a terminal.
type printout struct {
	bytes.Buffer
	terminal    bool
	seen        func(text string) // called with each write, if not nil
	first, last time.Time
}

func (p *printout) Write(b []byte) (int, error) {
	if p.last = time.Now(); p.first.IsZero() {
		p.first = p.last
	}
	if p.seen != nil {
		p.seen(string(b))
	}
	return p.Buffer.Write(b)
}

func (p *printout) Stat() (fs.FileInfo, error) {
	if !p.terminal {
		return nil, fs.ErrInvalid
	}
	return terminalInfo{}, nil
}

type terminalInfo struct{ fs.FileInfo }

func (terminalInfo) Mode() fs.FileMode { return fs.ModeDevice | fs.ModeCharDevice }

// screenLines is what a terminal shows after all that was written to it.
func screenLines(t *testing.T, written string) []string {
	t.Helper()
	var lines []string
	for l := range strings.Lines(written) {
		var shown []rune
		for part := range strings.SplitSeq(strings.TrimSuffix(l, "\n"), "\r") {
			over := []rune(part)
			require.LessOrEqual(t, len(over), 120)
			shown = append(over, shown[min(len(over), len(shown)):]...)
		}
		lines = append(lines, strings.TrimRight(string(shown), " "))
	}
	return lines
}

func TestSampleEndsInTime(t *testing.T) {
	t.Parallel()
	longest := 4*9*time.Second + 5*onWire
	typing := queue.DefaultTyping()
	for r, err := range rows([]byte(sample)) {
		require.NoError(t, err)
		show := min(typing.Start+time.Duration(len([]rune(r.text)))*typing.PerRune, typing.Max)
		longest += show + show*time.Duration(typing.Spread)/100
	}
	require.Less(t, longest, 60*time.Second, "75 s, less some for a slow machine")
}

func TestRealTimeCampaign(t *testing.T) {
	t.Parallel()
	for seed := range 10 {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var out printout
			var stderr bytes.Buffer
			status := run(t.Context(), []string{"-seed", fmt.Sprint(seed)}, &out, &stderr)
			require.Equal(t, exitSent, status)
			require.Empty(t, stderr.String())
			require.Equal(t, began, out.first, "the first line came late")
			require.LessOrEqual(t, out.last.Sub(out.first), 75*time.Second)
			require.Equal(t, out.last, time.Now(), "it went on after its last line")

			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			require.Len(t, lines, 7)
			require.Regexp(t, `^5 messages from 4477\*{6}00 under "standard_policy"; the last one goes by 2000-01-01 00:0\d:\d\d$`, lines[0])
			require.Regexp(t, `1 of 5 sent to 4477\*{6}01; nothing held it, typing [12]\.\ds$`, lines[1])
			for i := 2; i <= 5; i++ {
				require.Regexp(t, fmt.Sprintf(`%d of 5 sent to 4477\*{6}0%d; gate "gap" held it [5-9]\.\ds, typing [12]\.\ds$`, i, i), lines[i])
			}
			require.Regexp(t, `^5 sent, 0 failed, 0 rejected in \d\d\.\d+s$`, lines[6])
		})
	}
}

func TestRealTimeJSON(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stdout, stderr, status := quickstart(t, "-json")
		require.Equal(t, exitSent, status)
		require.Empty(t, stderr)
		sends := readSends(t, stdout)
		require.Len(t, sends, 5)
		for i, s := range sends {
			require.Equal(t, onWire, s.Done.Sub(s.At))
			if i > 0 {
				gap := s.At.Sub(sends[i-1].Done) - time.Duration(s.Typing)
				require.True(t, 5*time.Second <= gap && gap <= 9*time.Second, "before message %d: %v", i, gap)
			}
		}
	})
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := printout{terminal: true}
		status := run(t.Context(), nil, &out, &bytes.Buffer{})
		require.Equal(t, exitSent, status)

		written := out.String()
		require.Contains(t, written, "\rnext: 1 of 5 to 4477******01; typing for another 1.")
		require.Contains(t, written, "\rnext: 2 of 5 to 4477******02; gate \"gap\" holds it while one is on the wire")
		require.Contains(t, written, "\rthe last message is on the wire")
		holds := regexp.MustCompile(`\rnext: 2 of 5 to 4477\*{6}02; gate "gap" holds it for another (\d\.\d)s`).FindAllStringSubmatch(written, -1)
		require.Greater(t, len(holds), 45, "it is written ten times a second")
		for i := range holds[1:] {
			require.Greater(t, holds[i][1], holds[i+1][1], "the wait gets shorter")
		}

		lines := screenLines(t, written)
		require.Len(t, lines, 7)
		for i, l := range lines {
			require.NotContains(t, l, "next:", "the live line stays in line %d", i)
		}
		require.Regexp(t, `^5 sent, 0 failed, 0 rejected in [0-9.]+s$`, lines[6])
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-json"}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			out := printout{terminal: true}
			var stderr bytes.Buffer
			began := time.Now()
			status := run(ctx, args, &out, &stderr)
			require.Equal(t, exitSome, status)
			require.Equal(t, "quickstart: stopped: 3 of 5 messages were not sent\n", stderr.String())
			require.Equal(t, 15*time.Second, time.Since(began))
		})
	}
}

func TestStopLetsTheMessageOnTheWireFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out := printout{terminal: true}
		out.seen = func(text string) {
			if strings.Contains(text, "while one is on the wire") {
				cancel()
			}
		}
		var stderr bytes.Buffer
		status := run(ctx, nil, &out, &stderr)
		require.Equal(t, exitSome, status)
		require.Equal(t, "quickstart: stopped: 4 of 5 messages were not sent\n", stderr.String())
		lines := screenLines(t, out.String())
		require.Len(t, lines, 3)
		require.Contains(t, lines[1], "1 of 5 sent to 4477******01")
		require.Contains(t, lines[2], "1 sent, 0 failed, 0 rejected in ")
	})
}

func TestStopInVirtualTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := printout{seen: func(string) { cancel() }} // when the buffer is full for the first time
	var stderr bytes.Buffer
	status := run(ctx, []string{"-virtual", "-json", "-in", campaignFile}, &out, &stderr)
	require.Equal(t, exitSome, status)
	require.Regexp(t, `^quickstart: stopped: 4\d\d of 500 messages were not sent\n$`, stderr.String())
}

func TestVirtualClockEnds(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "century.json", `{"rules":[{"name":"century","type":"sliding_window","max":1,"window":"876600h"}]}`)
	stdout, stderr, status := quickstart(t, "-virtual", "-policy", file)
	require.Equal(t, exitSome, status)
	require.Contains(t, stdout, "\n2 sent, 0 failed, 0 rejected in ")
	require.Contains(t, stderr, "the next message would go in the year 2226; ")
	require.Contains(t, stderr, "stopped: 3 of 5 messages were not sent")
}

// What holds a message is told for every kind of gate.
func TestReasons(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, rule, want string }{
		{"later", `"type":"sliding_window","max":1,"window":"90m"`, `gate "r" held it 1h30m0s`},
		{"busy", `"type":"concurrency","max":1`, `gate "r" held it while one was on the wire`},
		{"open", `"type":"sliding_window","max":9,"window":"1m"`, `nothing held it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := writeFile(t, "policy.json", `{"rules":[{"name":"r",`+tt.rule+`}]}`)
			stdout, stderr, status := quickstart(t, "-virtual", "-typing=false", "-policy", file)
			require.Equal(t, exitSent, status, stderr)
			require.Contains(t, stdout, "5 of 5 sent to 4477******05; "+tt.want+"\n")
		})
	}
}

func TestFailuresOnScreen(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "none.json", `{"rules":[{"name":"none","type":"concurrency","max":0}]}`)
	stdout, _, status := quickstart(t, "-virtual", "-policy", file)
	require.Equal(t, exitSome, status)
	require.Contains(t, stdout, "\n2026-01-05 08:00:00  1 of 5 failed to 4477******01; NEVER_ALLOWED: ")
	require.Contains(t, stdout, "\n0 sent, 5 failed, 0 rejected in 0s\n")
}

func TestBriefRoundsUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-1: "0.0s", 0: "0.0s", 1: "0.1s", 100 * time.Millisecond: "0.1s", 5*time.Second + 1: "5.1s",
		59 * time.Second: "59.0s", time.Minute: "1m0s", time.Hour + 1: "1h0m1s",
	} {
		require.Equal(t, want, brief(d), "%d", d)
	}
}

func TestOnlyTerminalsAreLive(t *testing.T) {
	t.Parallel()
	f, err := os.Create(writeFile(t, "out", ""))
	require.NoError(t, err)
	require.False(t, isTerminal(f))
	require.NoError(t, f.Close())
	require.False(t, isTerminal(f), "a file that cannot be asked")
	require.False(t, isTerminal(&bytes.Buffer{}))
	require.True(t, isTerminal(&printout{terminal: true}))
}
