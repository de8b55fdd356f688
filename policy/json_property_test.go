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

// spelled is a limit with its zone by name: two loads of one zone are two pointers.
type spelled struct {
	policy.Limit
	zone string
}

// spell makes policies comparable by what they say.
func spell(p policy.Policy) policy.Policy {
	p.Rules = append([]policy.Rule(nil), p.Rules...)
	for i, r := range p.Rules {
		switch l := r.Limit.(type) {
		case policy.CalendarWindow:
			zone := name(l.Location)
			l.Location = nil
			p.Rules[i].Limit = spelled{l, zone}
		case policy.ActiveHours:
			zone := name(l.Location)
			l.Location = nil
			p.Rules[i].Limit = spelled{l, zone}
		}
	}
	return p
}

func name(l *time.Location) string {
	if l == nil {
		return "none"
	}
	return l.String()
}

func drawZone(t *rapid.T) *time.Location {
	zone := rapid.SampledFrom([]string{"", "UTC", "Europe/London", "Asia/Kathmandu", "Pacific/Apia", "Etc/GMT+3"}).Draw(t, "zone")
	if zone == "" {
		return nil
	}
	l, err := time.LoadLocation(zone)
	require.NoError(t, err)
	return l
}

// drawLimit draws a valid limit of any kind.
func drawLimit(t *rapid.T) policy.Limit {
	count := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Min(0))
	length := rapid.OneOf(
		rapid.Map(rapid.Int64Range(1, 100_000), func(n int64) time.Duration { return time.Duration(n) * time.Second }),
		rapid.Map(rapid.Int64Range(1, int64(policy.MaxDuration)), func(n int64) time.Duration { return time.Duration(n) }),
	)
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		b := policy.TokenBucket{Max: count.Draw(t, "max"), Per: length.Draw(t, "per"), Burst: count.Draw(t, "burst")}
		if (policy.Policy{Rules: []policy.Rule{{Name: "r", Limit: b}}}).Validate() != nil {
			b.Burst = 0 // it would fill too late
		}
		return b
	case 1:
		return policy.SlidingWindow{Max: count.Draw(t, "max"), Window: length.Draw(t, "window")}
	case 2:
		return policy.CalendarWindow{
			Max:      count.Draw(t, "max"),
			Unit:     rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day, policy.Week, policy.Month}).Draw(t, "unit"),
			Location: drawZone(t),
		}
	case 3:
		lo, hi := length.Draw(t, "a"), length.Draw(t, "b")
		return policy.Gap{Min: min(lo, hi) - 1, Max: max(lo, hi), Every: count.Draw(t, "every")}
	case 4:
		return policy.Concurrency{Max: count.Draw(t, "max")}
	case 5:
		return policy.UniqueRecipients{Max: count.Draw(t, "max"), Window: length.Draw(t, "window")}
	case 6:
		return policy.NewContacts{Max: count.Draw(t, "max"), Window: length.Draw(t, "window")}
	default:
		const day = 24 * 60 * 60
		h := policy.ActiveHours{Days: drawDays(t), Location: drawZone(t)}
		from := rapid.IntRange(0, day-1).Draw(t, "from")
		to := rapid.IntRange(1, day).Filter(func(to int) bool { return to != from }).Draw(t, "to")
		h.From, h.To = time.Duration(from)*time.Second, time.Duration(to)*time.Second
		return h
	}
}

func drawDays(t *rapid.T) policy.Weekdays {
	var days []time.Weekday
	for _, d := range rapid.SliceOfDistinct(rapid.IntRange(0, 6), rapid.ID[int]).Draw(t, "days") {
		days = append(days, time.Weekday(d))
	}
	return policy.Days(days...)
}

// drawScope draws a scope that the limit may have.
func drawScope(t *rapid.T, l policy.Limit) policy.Scope {
	scopes := []policy.Scope{""}
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
		if (policy.Policy{Rules: []policy.Rule{{Name: "r", Scope: scope, Limit: l}}}).Validate() == nil {
			scopes = append(scopes, scope)
		}
	}
	return rapid.SampledFrom(scopes).Draw(t, "scope")
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
		r := policy.Rule{Name: name, Limit: drawLimit(t), Shadow: rapid.Bool().Draw(t, "shadow")}
		r.Scope = drawScope(t, r.Limit)
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
	damage := []string{"", "0", "-1", "1.5", `"x"`, "null", "[]", "{}", `"max":1,`, `"x":2,`, ",", "}", `"5s"`, "true", `"24:00"`, `["mon","mon"]`, "99999999999999999999"}
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
