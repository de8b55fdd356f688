package queuetest

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/wapace/wapace/internal/mask"
)

// A Violation is one call that broke one rule.
type Violation struct {
	// Rule is the rule's name: "request" for a call that no limiter may admit,
	// empty for a policy that is not valid.
	Rule string

	// Account is the call's account, unmasked.
	Account string

	// Recipient and Portfolio are the call's, unmasked, where the rule has that
	// scope. Otherwise they are empty.
	Recipient, Portfolio string

	// At is when the call that broke the rule was admitted.
	At time.Time

	// Limit is what the rule allowed, and Got what the log holds instead: summed
	// costs for windows and buckets, recipients, new contacts, calls in flight for
	// a concurrency; for hours 0 and 1. For a gap they are the pauses in
	// nanoseconds, and Got is the smaller one. A call that came while another was
	// in flight has Limit 0 and a negative Got, the smallest int64 where the other
	// has no end. A sum that does not fit into an int64 is the largest one.
	Limit, Got int64

	// Text says what was broken and by how much. It names no account, recipient or
	// portfolio.
	Text string
}

// String is the violation in one sentence, with its keys masked.
func (v Violation) String() string {
	var parts []string
	if v.Rule != "" {
		parts = append(parts, fmt.Sprintf("rule %q", v.Rule))
	}
	for _, key := range []struct{ name, value string }{
		{"account", v.Account}, {"recipient", v.Recipient}, {"portfolio", v.Portfolio},
	} {
		if key.value != "" {
			parts = append(parts, fmt.Sprintf("%s %q", key.name, mask.Phone(key.value)))
		}
	}
	if !v.At.IsZero() {
		parts = append(parts, stamp(v.At))
	}
	if len(parts) == 0 {
		return v.Text
	}
	return strings.Join(parts, ", ") + ": " + v.Text
}

// over is the violation of a limit by too much.
func (c Call) over(limit, got *big.Int, where string) Violation {
	return Violation{Account: c.Account, At: c.At, Limit: cut(limit), Got: cut(got),
		Text: fmt.Sprintf("%d %s, where at most %d may be (%d too many)", got, where, limit, sub(got, limit))}
}

// early is the violation of a pause after an earlier call.
func (c Call) early(pause time.Duration, earlier Call, what string) Violation {
	got := int64(math.MinInt64)
	by := "by how much is unknown, that call is not settled"
	if !earlier.Done.IsZero() {
		got = int64(c.At.Sub(earlier.end()))
		by = fmt.Sprintf("%v too early", earlier.end().Add(pause).Sub(c.At))
	}
	return Violation{Account: c.Account, At: c.At, Limit: int64(pause), Got: got,
		Text: fmt.Sprintf("taken %s (%s)", what, by)}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

func add(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
func sub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
func mul(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

// cut is n, or the largest int64 where n does not fit. It is for n >= 0.
func cut(n *big.Int) int64 {
	if n.IsInt64() {
		return n.Int64()
	}
	return math.MaxInt64
}
