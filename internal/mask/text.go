package mask

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with every number that may be a phone number masked as [Phone] masks
// one: runs of 8 digits or more, and groups of digits that add up to as many and stand
// together as people write such numbers, with spaces, hyphens, dots or brackets
// between. Dates, times, versions, network addresses and UUIDs stay, and so do groups
// that hang on a word, as in order-2026-0001-4711. It is for errors of other packages,
// which may quote a number.
func Text(s string) string {
	var out strings.Builder
	from := 0
	for _, stays := range known.FindAllStringIndex(s, -1) {
		numbers(&out, s, from, stays[0])
		out.WriteString(s[stays[0]:stays[1]])
		from = stays[1]
	}
	numbers(&out, s, from, len(s))
	return out.String()
}

// known is what is no phone number, though it has digits enough for one: dates, with a
// time or not, two years, times, addresses of the network, versions and UUIDs.
var known = regexp.MustCompile(strings.Join([]string{
	`\b(?:19|20)\d\d[-./](?:0[1-9]|1[0-2])[-./](?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|\b)`,
	`\b(?:0[1-9]|[12]\d|3[01])[-./](?:0[1-9]|[12]\d|3[01])[-./](?:19|20)\d\d\b`,
	`\b(?:19|20)\d\d-(?:19|20)\d\d\b`,
	`\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\b)`,
	`\b` + octet + `(?:\.` + octet + `){3}\b(?::\d+)?`,
	`\b(?:v|go)\d+(?:\.\d+)+[\w.+-]*`,
	`\b\d{1,3}(?:\.\d+)*\.\d(?:\.\d+)*\b`,
	`\b\d{1,2}\.\d{3,4}\.\d{5,}\b`, // such as that of WhatsApp Web
	`\b[[:xdigit:]]{8}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{12}\b`,
}, "|"))

const octet = `(?:25[0-5]|2[0-4]\d|1?\d?\d)`

// groups are digits with up to three separators from one to the next.
var (
	groups = regexp.MustCompile(`[+(]?\p{Nd}(?:[-. ()\x{a0}\x{2010}-\x{2013}]{0,3}\p{Nd})*`)
	group  = regexp.MustCompile(`\p{Nd}+`)
)

// numbers writes a part of s, which nothing known is in.
func numbers(out *strings.Builder, s string, from, to int) {
	part := s[from:to]
	at := 0
	for _, found := range groups.FindAllStringIndex(part, -1) {
		start, end := found[0], found[1]
		out.WriteString(part[at:start])
		before, after := s[:from+start], s[from+end:]
		if text := part[start:end]; written(text) && !hangs(before, after) {
			out.WriteString(Phone(text))
		} else {
			out.WriteString(group.ReplaceAllStringFunc(text, run))
		}
		at = end
	}
	out.WriteString(part[at:])
}

// run masks digits that nothing stands between, if they are enough.
func run(digits string) string {
	if utf8.RuneCountInString(digits) < fewest {
		return digits
	}
	return Phone(digits)
}

// written reports whether groups of digits are set as those of a phone number: none but
// the first has a single digit, unless there are signs that nothing else has.
func written(text string) bool {
	all := group.FindAllString(text, -1)
	digits, single, dotted := 0, false, true
	for i, g := range all {
		n := utf8.RuneCountInString(g)
		digits += n
		single = single || i > 0 && n == 1
	}
	for _, r := range text {
		dotted = dotted && (r == '.' || unicode.IsDigit(r))
	}
	switch {
	case digits < fewest:
		return false
	case strings.ContainsAny(text, "+("):
		return true
	}
	return !single && (!dotted || len(all) != 2)
}

// hangs reports whether digits are a part of the word before or after them.
func hangs(before, after string) bool {
	last, size := utf8.DecodeLastRuneInString(before)
	if last == '-' || last == '.' {
		last, _ = utf8.DecodeLastRuneInString(before[:len(before)-size])
	}
	first, size := utf8.DecodeRuneInString(after)
	if first == '-' {
		first, _ = utf8.DecodeRuneInString(after[size:])
	}
	inWord := func(r rune) bool { return unicode.IsLetter(r) && r < utf8.RuneSelf || r == '_' }
	return inWord(last) || inWord(first)
}
