package headers

import (
	"net/http"
	"strings"
)

// problem is the last part of a problem's type (RFC 9457), and empty for about:blank,
// which says no more than the status does.
func problem(uri string) string {
	uri = strings.TrimRight(uri, "/#")
	if uri == "about:blank" {
		return ""
	}
	return uri[strings.LastIndexAny(uri, "/#:")+1:]
}

// problemLimits reports whether a problem's type is one that draft 11 registers.
func problemLimits(code string) bool {
	switch code {
	case "quota-exceeded", "temporary-reduced-capacity", "abnormal-usage-detected":
		return true
	}
	return false
}

// problemTypes is where the types of draft 11 are registered (section 10.2).
const problemTypes = "https://iana.org/assignments/http-problem-types#"

func problemForm(r *refused) any {
	kind, title := "quota-exceeded", "Quota exceeded"
	if r.status == http.StatusServiceUnavailable {
		kind, title = "temporary-reduced-capacity", "Capacity temporarily reduced"
	}
	return struct {
		Type       string   `json:"type"`
		Title      string   `json:"title"`
		Status     int      `json:"status"`
		Detail     string   `json:"detail"`
		Violated   []string `json:"violated-policies"`
		RetryAfter int64    `json:"retry_after,omitempty"`
	}{problemTypes + kind, title, r.status, r.message(title + "."), r.violated, r.wait}
}
