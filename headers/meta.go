package headers

import "strconv"

// metaLimits reports whether a refusal has one of the codes by which the Graph API
// and the WhatsApp Cloud API say that a limit was hit, with any status, mostly 400.
// WhatsBizAPI passes them on. The small ones say other things elsewhere and are taken
// for Meta's only where Meta puts them, in error.code of an error.
func metaLimits(m *refusal, status int) bool {
	n, err := strconv.Atoi(m.code())
	if err != nil {
		return false
	}
	switch n {
	case 4, // calls of the app
		17,  // calls of the user
		32,  // calls of the page
		613: // a limit of its own
		return status >= 400 && m.Error.Code != ""
	case 130429, // throughput of the number
		131048, // spam
		131056, // one pair of numbers
		133016: // registering
		return true
	}
	return 80000 <= n && n <= 80014 // use cases of a business; 80007 is WhatsApp's
}
