package headers

import "strings"

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
