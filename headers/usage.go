package headers

import (
	"encoding/json"
	"math"
	"net/http"
	"time"
)

// A Usage is how much of Meta's limits is used up, from X-App-Usage,
// X-Business-Use-Case-Usage and X-Ad-Account-Usage. Their numbers are percentages
// (Graph API, "Rate Limits"); at 100 in any of them access is lost.
type Usage struct {
	// Percent is the worst percentage of all, rounded up. It may be above 100.
	Percent int64

	// Regain is how long it takes until access is given again or, for an ad account,
	// until its score is 0; 0 where that is not told. Meta tells the former in
	// minutes, the latter in seconds.
	Regain time.Duration

	// Clamped says that Regain was longer than the longest wait and was cut.
	Clamped bool
}

// A meter is one object of a usage field. Meta tells of one app, account or use case
// in each.
type meter struct {
	Calls    quantity `json:"call_count"`
	CPU      quantity `json:"total_cputime"`
	Time     quantity `json:"total_time"`
	Account  quantity `json:"acc_id_util_pct"`
	Minutes  quantity `json:"estimated_time_to_regain_access"`
	Duration quantity `json:"reset_time_duration"` // seconds
}

// usage reads the three fields. The worst of all counts.
func (r *reader) usage(h http.Header) *Usage {
	var u Usage
	known := false
	for _, field := range [...]string{"X-App-Usage", "X-Ad-Account-Usage"} {
		for _, line := range r.lines(h, field) {
			var m meter
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				r.note(field, line, "is not a usage")
			} else if u.add(&m) {
				known = true
			}
		}
	}
	const field = "X-Business-Use-Case-Usage"
	for _, line := range r.lines(h, field) {
		var cases map[string]meters
		if err := json.Unmarshal([]byte(line), &cases); err != nil {
			r.note(field, line, "is not a usage")
			continue
		}
		total := 0
		for _, all := range cases {
			total += len(all)
		}
		if total > MaxItems {
			r.void(field, "%d use cases are not read", total)
			continue
		}
		for _, all := range cases {
			for i := range all {
				if u.add(&all[i]) {
					known = true
				}
			}
		}
	}
	if !known {
		return nil
	}
	u.Regain, u.Clamped = r.cut(u.Regain, "usage")
	return &u
}

// add reports whether the meter tells anything.
func (u *Usage) add(m *meter) bool {
	known := false
	for _, q := range [...]quantity{m.Calls, m.CPU, m.Time, m.Account} {
		if q.known {
			percent := q.whole
			if q.fraction > 0 && percent < math.MaxInt64 {
				percent++
			}
			u.Percent, known = max(u.Percent, percent), true
		}
	}
	for _, regain := range [...]struct {
		quantity
		unit time.Duration
	}{{m.Minutes, time.Minute}, {m.Duration, time.Second}} {
		if regain.known {
			u.Regain, known = max(u.Regain, regain.times(regain.unit)), true
		}
	}
	return known
}

// meters are those of one business: a list of use cases, or one alone.
type meters []meter

// UnmarshalJSON leaves out what is no object.
func (m *meters) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		list = []json.RawMessage{text}
	}
	for _, object := range list {
		var one meter
		if json.Unmarshal(object, &one) == nil {
			*m = append(*m, one)
		}
	}
	return nil
}
