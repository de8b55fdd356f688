package policy

// A Quality is what a provider thinks of a number, as Meta rates it. The empty
// Quality means that it is not rated.
type Quality string

// The quality ratings, by the words of Meta's field quality_rating.
const (
	Green  Quality = "GREEN"  // high
	Yellow Quality = "YELLOW" // medium
	Red    Quality = "RED"    // low
)

const useQuality = "use GREEN, YELLOW or RED, or leave it empty"

// rank orders ratings; one that is not known ranks lowest.
func (q Quality) rank() int {
	switch q {
	case Green:
		return 3
	case Yellow:
		return 2
	case Red:
		return 1
	}
	return 0
}

func (q Quality) check(report func(field string, value any, remedy string), field string) {
	if q != "" && q.rank() == 0 {
		report(field, string(q), useQuality)
	}
}
