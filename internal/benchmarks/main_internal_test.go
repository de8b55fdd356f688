package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// short makes every work brief: what is tested is that all of them work.
func short(args ...string) []string {
	return append([]string{"-time", "1us", "-pairs", "1", "-keys", "2000"}, args...)
}

func TestJSONHasALineForEveryPair(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(short("-json"), &out, io.Discard))
	peers := map[string]int{}
	for _, l := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(l), &got))
		require.Len(t, got, 8)
		for _, key := range []string{"work", "ours_ns", "peer", "peer_ns", "ratio", "ours_bytes_per_key", "peer_bytes_per_key", "ours_allocs"} {
			require.Contains(t, got, key)
		}
		name, ok := got["work"].(string)
		require.True(t, ok)
		peers[name]++
		if strings.HasPrefix(name, "million-") || strings.HasSuffix(name, "-memory") {
			require.NotNil(t, got["ours_bytes_per_key"], name)
		} else {
			require.Nil(t, got["ours_bytes_per_key"], name)
		}
		if !strings.HasSuffix(name, "-memory") {
			require.Positive(t, got["ours_ns"], name)
			require.Positive(t, got["peer_ns"], name)
			require.Positive(t, got["ratio"], name)
		}
	}
	require.Equal(t, map[string]int{
		"one-bucket": 8, "standard": 1, "five-rules": 1, "refused": 2, "refused-standard": 1,
		"million-serial": 1, "million-parallel": 1, "window-memory": 1,
		"middleware": 2, "middleware-refused": 2, "middleware-draft": 1,
	}, peers)
}

func TestTableHasOneHeading(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(short("-work", "refused"), &out, io.Discard))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 5)
	require.Contains(t, lines[0], "median of 1 pairs of 1µs")
	require.Regexp(t, `^work +ours ns +peer +peer ns +ratio +half of pairs +ours B/key +peer B/key +ours allocs$`, strings.TrimSpace(lines[2]))
	require.Regexp(t, `^refused +[0-9.]+ +x/time/rate +[0-9.]+ +[0-9.]+ +[0-9.]+ to [0-9.]+ +- +- +[0-9.]+$`, strings.TrimSpace(lines[3]))
}

func TestRunRefusesBadFlags(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"benchmarks: time 0s: use more than 0":  {"-time", "0s"},
		"benchmarks: pairs 0: use 1 or more":    {"-pairs", "0"},
		"benchmarks: keys -1: use 1 or more":    {"-keys", "-1"},
		`benchmarks: work "nothing": use one`:   {"-work", "nothing", "-keys", "1"},
		`benchmarks: argument "x": give flags`:  {"x"},
		"flag provided but not defined: -bogus": {"-bogus"},
	} {
		require.ErrorContains(t, run(args, io.Discard, io.Discard), want)
	}
	var usage bytes.Buffer
	require.NoError(t, run([]string{"-h"}, io.Discard, &usage))
	require.Contains(t, usage.String(), "-pairs")
}

func TestRunReportsWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{short("-work", "standard"), short("-work", "standard", "-json")} {
		require.ErrorIs(t, run(args, full{}, io.Discard), errFull)
	}
}

// full is a disk with no room left.
type full struct{}

var errFull = errors.New("no room left")

func (full) Write([]byte) (int, error) { return 0, errFull }
