package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Account is where a number, or a portfolio, stands on a [Ladder].
type Account struct {
	// Tier is the name of its tier.
	Tier string

	// TierSince is when it came to the tier. The zero time means long ago.
	TierSince time.Time

	// Quality is its rating.
	Quality Quality

	// QualitySince is when it was rated so. The zero time means long ago. A rating
	// from before TierSince has had its effect.
	QualitySince time.Time

	// VerifiedAt is when its business was verified. The zero time, and one that is
	// still to come, mean that it is not.
	VerifiedAt time.Time

	// UsedUnique is how many distinct recipients it has written to within the
	// ladder's UseWindow. A negative number is an error.
	UsedUnique int64

	// UsedSince is when it wrote to the first of them. The zero time means just
	// now. Once the UseWindow is over since then, they do not count any more.
	UsedSince time.Time

	// Volume is how many distinct recipients it has written to within the ladder's
	// VolumeWindow. A negative number is an error.
	Volume int64

	// EarnedAt is when it first had all that the next tier takes. The zero time
	// means just now, or VerifiedAt where that is all that it takes.
	EarnedAt time.Time
}

// A Reason is why an account is in the tier that it is in next.
type Reason string

// The reasons of a [Move].
const (
	Stays    Reason = "stays"  // something is missing for the next tier
	Waits    Reason = "waits"  // nothing is missing; the provider may still take its time
	Climbs   Reason = "climbs" // it is in the next tier
	Falls    Reason = "falls"  // low quality has cost it a tier
	AtTheTop Reason = "top"    // there is no next tier
)

// A Move is what becomes of an account.
type Move struct {
	// Tier is the tier that the account can count on now.
	Tier Tier

	// Reason is why.
	Reason Reason

	// Missing is what it takes to get from there to the next tier.
	Missing Missing
}

// Missing is what an account lacks for the next tier. The zero Missing lacks
// nothing, as at the top.
type Missing struct {
	// To is the next tier.
	To Tier

	// Verification says that the business has to be verified.
	Verification bool

	// Quality is the rating that it has to come to, or empty.
	Quality Quality

	// Recipients is how many more unique recipients it has to write to within
	// Within, and 0 where they are enough.
	Recipients int64

	// Within is how long the recipients that it has written to still count.
	Within time.Duration

	// Delay is how long the provider may still take once nothing else is missing.
	Delay time.Duration
}

// String says it for people: need 640 more unique recipients in 2 days to reach
// 10,000.
func (m Missing) String() string {
	var needs []string
	if m.Verification {
		needs = append(needs, "a verified business")
	}
	if m.Quality != "" {
		needs = append(needs, "quality "+string(m.Quality)+" or better")
	}
	if m.Recipients > 0 {
		needs = append(needs, fmt.Sprintf("%s more unique recipients in %s", thousands(m.Recipients), days(m.Within)))
	}
	goal := "to reach " + thousands(m.To.Max)
	if m.To.Max == NoMax {
		goal = "to have no limit"
	}
	switch {
	case m.To == Tier{}:
		return "nothing more to reach"
	case len(needs) > 0:
		return "need " + list(needs, "and") + " " + goal
	case m.Delay > 0:
		return "need to wait up to " + formatDuration(m.Delay) + " " + goal
	}
	return "need nothing " + goal
}

// Next is what becomes of the account by now. It is a function of what it is given
// and keeps nothing: the caller keeps the account, and sets its Tier and TierSince
// when the tier moves. An account moves by one tier at a time.
//
// An account that has all it takes is in the next tier once the ladder's Delay is
// over since then; sooner the provider may not have moved it yet. The error joins
// what [Ladder.Validate] finds, and names fields of the account that cannot be.
func (l Ladder) Next(a Account, now time.Time) (Move, error) {
	if err := l.Validate(); err != nil {
		return Move{}, err
	}
	at, err := l.index(a.Tier)
	if err != nil {
		return Move{}, err
	}
	if err := a.check(); err != nil {
		return Move{}, err
	}
	switch missing := l.missing(a, at, now); {
	case l.DowngradeOnRed && a.Quality == Red && at > 0 && !a.QualitySince.Before(a.TierSince):
		return Move{l.Tiers[at-1], Falls, l.missing(a, at-1, now)}, nil
	case missing.To == Tier{}:
		return Move{l.Tiers[at], AtTheTop, missing}, nil
	case missing.Verification || missing.Quality != "" || missing.Recipients > 0:
		return Move{l.Tiers[at], Stays, missing}, nil
	case missing.Delay > 0:
		return Move{l.Tiers[at], Waits, missing}, nil
	default:
		a.EarnedAt = time.Time{}
		return Move{l.Tiers[at+1], Climbs, l.missing(a, at+1, now)}, nil
	}
}

func (a Account) check() error {
	var found problems
	a.Quality.check(func(field string, value any, remedy string) { found.add(field, value, remedy) }, "quality")
	if a.UsedUnique < 0 {
		found.add("used_unique", a.UsedUnique, "use 0 or more")
	}
	if a.Volume < 0 {
		found.add("volume", a.Volume, "use 0 or more")
	}
	return found.err()
}

// missing is what the account lacks to leave the tier that stands at at.
func (l Ladder) missing(a Account, at int, now time.Time) Missing {
	if at == len(l.Tiers)-1 {
		return Missing{}
	}
	m := Missing{To: l.Tiers[at+1]}
	verified := !a.VerifiedAt.IsZero() && !a.VerifiedAt.After(now)
	good := a.Quality.rank() >= l.MinQuality.rank()
	earned := a.EarnedAt
	switch {
	case l.VerifyFirst && at == 0:
		m.Verification = !verified && (l.Volume == 0 || a.Volume < l.Volume || !good)
		if earned.IsZero() && verified {
			earned = a.VerifiedAt
		}
	default:
		m.Verification = l.VerifyFirst && l.Volume == 0 && !verified
		if !good {
			m.Quality = l.MinQuality
		}
		used, within := a.UsedUnique, l.UseWindow
		if !a.UsedSince.IsZero() && a.UsedSince.Before(now) {
			within -= min(now.Sub(a.UsedSince), l.UseWindow)
		}
		if within == 0 {
			used, within = 0, l.UseWindow
		}
		most := l.Tiers[at].Max
		m.Recipients = max(most-scale(most, int64(100-l.UsePercent), 100)-used, 0)
		if m.Recipients > 0 {
			m.Within = within
		}
	}
	switch {
	case earned.IsZero():
		m.Delay = l.Delay
	case m.Verification || m.Quality != "" || m.Recipients > 0:
		m.Delay = l.Delay // what was earned once has been lost
	default:
		m.Delay = l.Delay - min(max(now.Sub(earned), 0), l.Delay)
	}
	return m
}

// thousands writes n as people do: 10,000.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	var groups []string
	for len(s) > 3 {
		groups = append([]string{s[len(s)-3:]}, groups...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, groups...), ",")
}

// days writes d in whole days, rounded down, or as a duration where it is less than
// two.
func days(d time.Duration) string {
	if d < 2*wholeDay {
		return formatDuration(d.Truncate(time.Second))
	}
	return fmt.Sprintf("%d days", d/wholeDay)
}
