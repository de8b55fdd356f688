package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// A figure is a number, or unknown where nothing was measured.
type figure float64

func unknown() figure { return figure(math.NaN()) }

func (f figure) known() bool { return !math.IsNaN(float64(f)) }

// rounded keeps three digits after the point of numbers below 10 and one of others.
func (f figure) rounded() float64 {
	scale := 10.0
	if math.Abs(float64(f)) < 10 {
		scale = 1000
	}
	return math.Round(float64(f)*scale) / scale
}

// String is the number, or a dash.
func (f figure) String() string {
	if !f.known() {
		return "-"
	}
	return strconv.FormatFloat(f.rounded(), 'f', -1, 64)
}

// MarshalJSON is the number, or null.
func (f figure) MarshalJSON() ([]byte, error) {
	if !f.known() {
		return []byte("null"), nil
	}
	return json.Marshal(f.rounded())
}

// A result is one line: what a work cost us and one peer.
type result struct {
	Work        string `json:"work"`
	Ours        figure `json:"ours_ns"`
	Peer        string `json:"peer"`
	Theirs      figure `json:"peer_ns"`
	Ratio       figure `json:"ratio"` // ours / theirs
	OursBytes   figure `json:"ours_bytes_per_key"`
	TheirsBytes figure `json:"peer_bytes_per_key"`
	Allocs      figure `json:"ours_allocs"`

	low, high figure // a quarter of the pairs had a ratio below, a quarter above
}

// timed is r with what the pairs of legs, ours first, amount to.
func (r result) timed(legs [][2]leg) result {
	var ours, theirs, ratios, allocs []float64
	for _, l := range legs {
		ours, theirs = append(ours, l[0].ns), append(theirs, l[1].ns)
		ratios, allocs = append(ratios, l[0].ns/l[1].ns), append(allocs, l[0].allocs)
	}
	r.Ours, r.Theirs, r.Allocs = quantile(ours, 0.5), quantile(theirs, 0.5), quantile(allocs, 0.5)
	r.low, r.Ratio, r.high = quantile(ratios, 0.25), quantile(ratios, 0.5), quantile(ratios, 0.75)
	return r
}

// quantile is the number that a share q of all is below, between two of them where
// it must be. Of none it is unknown.
func quantile(of []float64, q float64) figure {
	if len(of) == 0 {
		return unknown()
	}
	sorted := slices.Sorted(slices.Values(of))
	at := q * float64(len(sorted)-1)
	i := int(at)
	next := min(i+1, len(sorted)-1)
	return figure(sorted[i] + (at-float64(i))*(sorted[next]-sorted[i]))
}

func printJSON(w io.Writer, r result) error { return json.NewEncoder(w).Encode(r) }

// A table prints results as they come, under one heading.
type table struct {
	w       io.Writer
	heading string
}

func newTable(w io.Writer, title string) *table {
	return &table{w: w, heading: title + "\n\n" + line("work", "ours ns", "peer", "peer ns", "ratio", "half of pairs", "ours B/key", "peer B/key", "ours allocs")}
}

func (t *table) row(r result) error {
	spread := "-"
	if r.low.known() {
		spread = fmt.Sprintf("%.2f to %.2f", r.low, r.high)
	}
	_, err := io.WriteString(t.w, t.heading+line(r.Work, r.Ours, r.Peer, r.Theirs, r.Ratio, spread, r.OursBytes, r.TheirsBytes, r.Allocs))
	t.heading = ""
	return err
}

func line(cells ...any) string {
	return fmt.Sprintf("%-16s %8v  %-28s %8v %7v  %-13s %10v %10v %11v\n", cells...)
}
