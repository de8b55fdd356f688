package policy_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
)

// spelled is a calendar window with its zone by name: two loads of one zone are
// two pointers.
type spelled struct {
	policy.Limit
	zone string
}

// spell makes policies comparable by what they say.
func spell(p policy.Policy) policy.Policy {
	p.Rules = append([]policy.Rule(nil), p.Rules...)
	for i, r := range p.Rules {
		if w, ok := r.Limit.(policy.CalendarWindow); ok && w.Location != nil {
			zone := w.Location.String()
			w.Location = nil
			p.Rules[i].Limit = spelled{Limit: w, zone: zone}
		}
	}
	return p
}

// drawLimit draws a valid limit of any kind.
func drawLimit(t *rapid.T) policy.Limit {
	count := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Min(0))
	length := rapid.OneOf(
		rapid.Map(rapid.Int64Range(1, 100_000), func(n int64) time.Duration { return time.Duration(n) * time.Second }),
		rapid.Map(rapid.Int64Range(1, int64(policy.MaxDuration)), func(n int64) time.Duration { return time.Duration(n) }),
	)
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		b := policy.TokenBucket{Max: count.Draw(t, "max"), Per: length.Draw(t, "per"), Burst: count.Draw(t, "burst")}
		if (policy.Policy{Rules: []policy.Rule{{Name: "r", Limit: b}}}).Validate() != nil {
			b.Burst = 0 // it would fill too late
		}
		return b
	case 1:
		return policy.SlidingWindow{Max: count.Draw(t, "max"), Window: length.Draw(t, "window")}
	case 2:
		w := policy.CalendarWindow{
			Max:  count.Draw(t, "max"),
			Unit: rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit"),
		}
		if zone := rapid.SampledFrom([]string{"", "UTC", "Europe/London", "Asia/Kathmandu", "Pacific/Apia", "Etc/GMT+3"}).Draw(t, "zone"); zone != "" {
			w.Location, _ = time.LoadLocation(zone)
		}
		return w
	case 3:
		lo, hi := length.Draw(t, "a"), length.Draw(t, "b")
		return policy.Gap{Min: min(lo, hi) - 1, Max: max(lo, hi), Every: count.Draw(t, "every")}
	default:
		return policy.Concurrency{Max: count.Draw(t, "max")}
	}
}

func drawPolicy(t *rapid.T) policy.Policy {
	p := policy.Policy{
		ID:          rapid.IntMin(0).Draw(t, "id"),
		Slug:        rapid.String().Draw(t, "slug"),
		Name:        rapid.String().Draw(t, "name"),
		Description: rapid.String().Draw(t, "description"),
	}
	ruleName := rapid.StringN(1, -1, -1).Filter(func(s string) bool { return s != "request" && s != "capacity" })
	for _, name := range rapid.SliceOfNDistinct(ruleName, 0, 6, rapid.ID[string]).Draw(t, "names") {
		r := policy.Rule{
			Name:  name,
			Scope: rapid.SampledFrom([]policy.Scope{"", policy.ScopeAccount}).Draw(t, "scope"),
			Limit: drawLimit(t),
		}
		for _, a := range rapid.SliceOfN(rapid.StringN(1, -1, -1), 0, 3).Draw(t, "actions") {
			r.Actions = append(r.Actions, policy.Action(a))
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func TestJSONRoundTripIsLossless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		require.NoError(t, p.Validate())
		written, err := json.Marshal(p)
		require.NoError(t, err)
		read, err := policy.Read(bytes.NewReader(written))
		require.NoError(t, err)
		require.Equal(t, spell(p), spell(read))
	})
}

// TestJSONNamesEachBadFieldOnce damages good policies at random places: what is
// read is either valid or gets an error that names no field twice.
func TestJSONNamesEachBadFieldOnce(t *testing.T) {
	t.Parallel()
	damage := []string{"", "0", "-1", "1.5", `"x"`, "null", "[]", "{}", `"max":1,`, `"x":2,`, ",", "}", `"5s"`, "99999999999999999999"}
	rapid.Check(t, func(t *rapid.T) {
		written, err := json.Marshal(drawPolicy(t))
		require.NoError(t, err)
		text := string(written)
		for range rapid.IntRange(1, 4).Draw(t, "damages") {
			i := rapid.IntRange(0, len(text)).Draw(t, "from")
			j := rapid.IntRange(i, min(i+8, len(text))).Draw(t, "to")
			text = text[:i] + rapid.SampledFrom(damage).Draw(t, "damage") + text[j:]
		}
		p, err := policy.Read(strings.NewReader(text))
		if err == nil {
			require.NoError(t, p.Validate())
			return
		}
		joined, ok := err.(interface{ Unwrap() []error })
		require.True(t, ok)
		named := map[string]bool{}
		for _, err := range joined.Unwrap() {
			var field *policy.FieldError
			require.ErrorAs(t, err, &field)
			require.False(t, named[field.Path], "%s is named twice in %v", field.Path, joined)
			named[field.Path] = true
		}
	})
}
