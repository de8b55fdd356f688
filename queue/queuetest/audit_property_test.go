package queuetest_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

// keepsRule says whether the calls, in order, keep a rule: those of each budget, on
// which a call and all that share its keys draw, keep the limit.
func keepsRule(rule policy.Rule, calls []queuetest.Call) bool {
	for _, c := range calls {
		var shared []queuetest.Call
		for _, other := range calls {
			together := map[policy.Scope]bool{
				policy.ScopeAccount:   other.Account == c.Account,
				policy.ScopeRecipient: other.Account == c.Account && other.Recipient == c.Recipient,
				policy.ScopePortfolio: other.Portfolio == c.Portfolio,
			}[rule.Scope]
			if together && rule.Covers(other.Action) {
				shared = append(shared, other)
			}
		}
		if !keeps(rule.Limit, shared) {
			return false
		}
	}
	return true
}

// keeps says from the definition of each limit, as literally as it can be
// written, whether the calls of one budget, in order, keep it.
func keeps(limit policy.Limit, calls []queuetest.Call) bool {
	cost := func(c queuetest.Call) *big.Int { return big.NewInt(max(c.Cost, 1)) }
	var sent []queuetest.Call
	for _, c := range calls {
		if !c.Unsent {
			sent = append(sent, c)
		}
	}
	flying := func(c queuetest.Call, t time.Time) bool { return c.Done.IsZero() || c.Done.After(t) }

	switch limit := limit.(type) {
	case policy.SlidingWindow:
		for _, first := range sent {
			sum := new(big.Int)
			for _, c := range sent {
				if !c.At.Before(first.At) && c.At.Before(first.At.Add(limit.Window)) {
					sum.Add(sum, cost(c))
				}
			}
			if sum.Cmp(big.NewInt(limit.Max)) > 0 {
				return false
			}
		}
	case policy.TokenBucket:
		for i := range sent {
			sum := new(big.Int)
			for j := i; j < len(sent); j++ {
				sum.Add(sum, cost(sent[j]))
				elapsed := int64(sent[j].At.Sub(sent[i].At)) + 1
				room := new(big.Rat).Mul(big.NewRat(limit.Max, int64(limit.Per)), new(big.Rat).SetInt64(elapsed))
				room.Add(room, new(big.Rat).SetInt64(limit.Size()))
				if limit.Max == 0 || new(big.Rat).SetInt(sum).Cmp(room) > 0 {
					return false
				}
			}
		}
	case policy.CalendarWindow:
		for _, first := range sent {
			sum := new(big.Int)
			for _, c := range sent {
				if windowOf(limit, c.At) == windowOf(limit, first.At) {
					sum.Add(sum, cost(c))
				}
			}
			if sum.Cmp(big.NewInt(limit.Max)) > 0 {
				return false
			}
		}
	case policy.Gap:
		for j, c := range calls {
			nth := int64(0)
			for _, earlier := range calls[:j] {
				if flying(earlier, c.At) {
					return false
				}
				if earlier.Unsent {
					continue
				}
				nth++
				if nth%limit.Period() == 0 && !c.Unsent && c.At.Sub(earlier.Done) < limit.Min {
					return false
				}
			}
		}
	case policy.Concurrency:
		for j, c := range calls {
			n := int64(1)
			for _, earlier := range calls[:j] {
				if flying(earlier, c.At) {
					n++
				}
			}
			if n > limit.Max {
				return false
			}
		}
	case policy.UniqueRecipients:
		for _, first := range sent {
			people := map[string]bool{}
			for _, c := range sent {
				if !c.Refused && !c.At.Before(first.At) && c.At.Before(first.At.Add(limit.Window)) {
					people[c.Recipient] = true
				}
			}
			if int64(len(people)) > limit.Max {
				return false
			}
		}
	case policy.NewContacts:
		for _, first := range sent {
			n := int64(0)
			for _, c := range sent {
				if c.NewContact && !c.At.Before(first.At) && c.At.Before(first.At.Add(limit.Window)) {
					n++
				}
			}
			if n > limit.Max {
				return false
			}
		}
	case policy.ActiveHours:
		for _, c := range sent {
			if !shows(limit, c.At) {
				return false
			}
		}
	}
	return true
}

// shows compares what a clock on the wall shows, written out, with the first and the
// last that it may show on the day before and the day itself.
func shows(h policy.ActiveHours, t time.Time) bool {
	const face = "2006-01-02 15:04:05.000000000"
	local := t.In(h.Zone())
	y, m, d := local.Date()
	for _, day := range []int{d - 1, d} {
		midnight := time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
		from, to := midnight.Add(h.From), midnight.Add(h.To)
		if h.To < h.From {
			to = to.Add(24 * time.Hour)
		}
		if shown := local.Format(face); h.Days.Has(midnight.Weekday()) && from.Format(face) <= shown && shown < to.Format(face) {
			return true
		}
	}
	return false
}

// drawLimit draws a limit that the times of drawCalls come close to.
func drawLimit(t *rapid.T, kind string) policy.Limit {
	most := rapid.Int64Range(0, 5).Draw(t, "max")
	period := time.Duration(rapid.Int64Range(1, 20).Draw(t, "period")) * sec
	switch kind {
	case "sliding window":
		return policy.SlidingWindow{Max: most, Window: period}
	case "token bucket":
		return policy.TokenBucket{Max: most, Per: period, Burst: rapid.Int64Range(0, 5).Draw(t, "burst")}
	case "calendar window":
		return policy.CalendarWindow{Max: most, Unit: rapid.SampledFrom([]policy.Unit{policy.Minute, policy.Hour, policy.Day}).Draw(t, "unit")}
	case "gap":
		return policy.Gap{Min: period, Max: 2 * period, Every: rapid.Int64Range(0, 4).Draw(t, "every")}
	case "unique recipients":
		return policy.UniqueRecipients{Max: most, Window: period}
	case "new contacts":
		return policy.NewContacts{Max: most, Window: period}
	case "active hours":
		edge := func(name string) time.Duration {
			return time.Duration(rapid.SampledFrom([]int64{0, 10, 86_385, 86_390, 86_400}).Draw(t, name)) * sec
		}
		h := policy.ActiveHours{From: edge("from") % (24 * time.Hour), To: edge("to")}
		if h.To == 0 || h.To == h.From {
			h.To = h.From + sec
		}
		if rapid.Bool().Draw(t, "some days") {
			h.Days = policy.Days(rapid.SampledFrom([]time.Weekday{time.Sunday, time.Monday, time.Tuesday}).Draw(t, "day"))
		}
		return h
	default:
		return policy.Concurrency{Max: most}
	}
}

// drawScope draws a scope that the limit may have.
func drawScope(t *rapid.T, limit policy.Limit) policy.Rule {
	var rules []policy.Rule
	for _, scope := range []policy.Scope{policy.ScopeAccount, policy.ScopeRecipient, policy.ScopePortfolio} {
		rule := policy.Rule{Name: "only", Scope: scope, Limit: limit}
		if (policy.Policy{Rules: []policy.Rule{rule}}).Validate() == nil {
			rules = append(rules, rule)
		}
	}
	return rapid.SampledFrom(rules).Draw(t, "scope")
}

// drawCalls draws calls in the minute before and after midnight, many of them a
// whole number of seconds apart or 1 ns beside it, mostly of one account.
func drawCalls(t *rapid.T) []queuetest.Call {
	start := 12*time.Hour - 30*sec
	calls := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) queuetest.Call {
		taken := start + time.Duration(rapid.Int64Range(0, 60).Draw(t, "second"))*sec + time.Duration(rapid.Int64Range(-1, 1).Draw(t, "ns"))
		c := span(taken, taken+time.Duration(rapid.SampledFrom([]int64{0, 1, int64(sec), int64(5 * sec)}).Draw(t, "length")))
		c.Cost = rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 4}).Draw(t, "cost")
		c.Account = rapid.SampledFrom([]string{"447700900001", "447700900001", "447700900001", "447700900009"}).Draw(t, "account")
		c.Recipient = rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "recipient")
		c.Portfolio = rapid.SampledFrom([]string{"p", "p", "q"}).Draw(t, "portfolio")
		c.NewContact = rapid.Bool().Draw(t, "new contact")
		switch rapid.IntRange(0, 9).Draw(t, "fate") {
		case 0:
			c.Unsent = true
		case 1:
			c.Done = time.Time{}
		case 2:
			c.Refused = true
		}
		return c
	}), 1, 24).Draw(t, "calls")
	slices.SortStableFunc(calls, func(a, b queuetest.Call) int { return a.At.Compare(b.At) })
	return calls
}

func auditKinds() []string {
	return []string{
		"sliding window", "token bucket", "calendar window", "gap", "concurrency",
		"unique recipients", "new contacts", "active hours",
	}
}

// Any log at all: Audit finds something exactly where the definition is broken,
// and the first thing it finds is the call that broke it.
func TestAudit_AnyLog(t *testing.T) {
	t.Parallel()
	for _, kind := range auditKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				rule, calls := drawScope(t, drawLimit(t, kind)), drawCalls(t)
				found := queuetest.Audit(policy.Policy{Rules: []policy.Rule{rule}}, calls)
				for i, c := range calls {
					if !keepsRule(rule, calls[:i+1]) {
						require.NotEmpty(t, found)
						require.True(t, found[0].At.Equal(c.At), "found %v, want call %d of %v", found[0], i, calls)
						return
					}
				}
				require.Empty(t, found)
			})
		})
	}
}

// A log that keeps the limit, and one call too many: Audit finds that call, also
// among those of another account, and nothing once it is gone again.
func TestAudit_OneTooMany(t *testing.T) {
	t.Parallel()
	for _, kind := range auditKinds() {
		if kind == "active hours" {
			continue // they bound no number
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				limit := drawLimit(t, kind)
				var legal []queuetest.Call
				drawn := drawCalls(t)
				for i := range drawn {
					drawn[i].Account = "447700900001"
				}
				for _, c := range drawn {
					if more := append(slices.Clone(legal), c); keeps(limit, more) {
						legal = more
					}
				}

				// More and more of one call at one instant, until it is one too many.
				extra := rapid.SampledFrom(drawn).Draw(t, "extra")
				extra.Unsent, extra.Refused, extra.NewContact, extra.Done = false, false, true, extra.At.Add(ns)
				place, _ := slices.BinarySearchFunc(legal, extra.At, func(c queuetest.Call, at time.Time) int { return c.At.Compare(at) })
				over := legal
				for i := range 100 {
					extra.Recipient = fmt.Sprint("new", i)
					legal, over = over, slices.Insert(slices.Clone(over), place, extra)
					if !keeps(limit, over) {
						break
					}
				}
				require.False(t, keeps(limit, over), "the limit bounds the calls of one instant")

				other := slices.Clone(legal)
				for i := range other {
					other[i].Account = "447700900002"
				}
				require.Empty(t, queuetest.Audit(only(limit), append(other, legal...)))
				found := queuetest.Audit(only(limit), append(other, over...))
				require.NotEmpty(t, found)
				for _, v := range found {
					require.Equal(t, "447700900001", v.Account)
				}
			})
		})
	}
}
