package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// NoMax is the Max of a [Tier] that caps nothing.
const NoMax = math.MaxInt64

// A Tier is one step of a messaging ladder.
type Tier struct {
	// Name is the tier's name at the provider. It must not be empty.
	Name string

	// Max is the most distinct recipients that the ladder's Window may hold. Zero
	// refuses everyone, [NoMax] caps nothing; a negative Max is an error.
	Max int64
}

// A Ladder is the tiers of a provider, from the first to the last, and what it takes
// to climb them. It is plain data; [MetaLadder] and [LegacyLadder] are ready.
type Ladder struct {
	// Name is the ladder's name for people. It may be empty.
	Name string

	// Tiers are the steps, each with a larger Max than the one before.
	Tiers []Tier

	// Scope says whose recipients are counted: [ScopeAccount], which the empty
	// Scope means, or [ScopePortfolio].
	Scope Scope

	// Window is the time in which a recipient counts once. It must be positive.
	Window time.Duration

	// VerifyFirst says that the first tier is left by verifying the business, and
	// by that alone.
	VerifyFirst bool

	// UsePercent is how much of its tier an account has to use within UseWindow
	// to leave it, in hundredths of Max, rounded up. It is from 0 to 100.
	UsePercent int

	// UseWindow is the time in which use is counted. It must be positive.
	UseWindow time.Duration

	// MinQuality is the lowest quality with which an account climbs. The empty
	// Quality asks for none.
	MinQuality Quality

	// Volume is how many recipients within VolumeWindow, at MinQuality, stand in
	// for verification. Zero means that nothing does, and then the higher tiers
	// take a verified business too; a negative Volume is an error.
	Volume int64

	// VolumeWindow is the time in which Volume is counted. It must be positive
	// where Volume is, and is not looked at elsewhere.
	VolumeWindow time.Duration

	// Delay is how long the provider may take to move an account that has earned
	// it. It must not be negative.
	Delay time.Duration

	// DowngradeOnRed says that an account whose quality is [Red] falls one tier.
	DowngradeOnRed bool
}

// Validate reports everything about the ladder that cannot be, or nil. The error is
// a join of [*FieldError] values; a ladder that goes down names the tier.
func (l Ladder) Validate() error {
	var found problems
	found.addBadText("name", l.Name)
	if len(l.Tiers) == 0 {
		found.add("tiers", raw("none"), "list at least one tier")
	}
	names := make(map[string]int, len(l.Tiers))
	for i, t := range l.Tiers {
		path := fmt.Sprintf("tiers[%d]", i)
		found.addBadText(path+".name", t.Name)
		switch earlier, taken := names[t.Name]; {
		case t.Name == "":
			found.add(path+".name", t.Name, "give the tier a name")
		case taken:
			found.add(path+".name", t.Name, fmt.Sprintf("tiers[%d] has this name; choose another", earlier))
		default:
			names[t.Name] = i
		}
		switch {
		case t.Max < 0:
			found.add(path+".max", t.Max, "use 0 to refuse everyone, or more")
		case i > 0 && t.Max <= l.Tiers[i-1].Max:
			found.add(path+".max", t.Max, fmt.Sprintf("%q does not go up: use more than the %d of tiers[%d]", clip(t.Name), l.Tiers[i-1].Max, i-1))
		}
	}
	if fit := (UniqueRecipients{}).scopes(); l.Scope != "" && !slices.Contains(fit, l.Scope) {
		found.add("scope", string(l.Scope), useScope(fit))
	}
	report := func(field string, value any, remedy string) { found.add(field, value, remedy) }
	checkPeriod(report, "window", l.Window)
	if l.UsePercent < 0 || l.UsePercent > 100 {
		found.add("use_percent", l.UsePercent, "use 0 to 100")
	}
	checkPeriod(report, "use_window", l.UseWindow)
	l.MinQuality.check(report, "min_quality")
	if l.Volume < 0 {
		found.add("volume", l.Volume, "use 0 for none, or more")
	}
	if l.Volume > 0 {
		checkPeriod(report, "volume_window", l.VolumeWindow)
	}
	if l.Delay < 0 || l.Delay > MaxDuration {
		found.add("delay", l.Delay, "use 0s to "+formatDuration(MaxDuration))
	}
	return found.err()
}

// Tier is the tier with the given name. The error names the tiers that there are.
func (l Ladder) Tier(name string) (Tier, error) {
	i, err := l.index(name)
	if err != nil {
		return Tier{}, err
	}
	return l.Tiers[i], nil
}

func (l Ladder) index(name string) (int, error) {
	var names []string
	for i, t := range l.Tiers {
		if t.Name == name {
			return i, nil
		}
		names = append(names, t.Name)
	}
	var found problems
	found.add("tier", name, "use "+list(names, "or"))
	return 0, found.err()
}

// Rules is the tier as a rule called "recipients", or none for a tier that caps
// nothing.
func (l Ladder) Rules(t Tier) []Rule {
	if t.Max == NoMax {
		return nil
	}
	return []Rule{{
		Name:    "recipients",
		Actions: []Action{SendMessage},
		Scope:   l.Scope,
		Limit:   UniqueRecipients{Max: t.Max, Window: l.Window},
	}}
}

// slug is the tier's name as a slug has it: tier_2k.
func (t Tier) slug() string { return strings.ReplaceAll(strings.ToLower(t.Name), " ", "_") }
