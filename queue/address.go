package queue

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wapace/wapace/internal/mask"
)

const (
	maxAddress = 256 // bytes of text that may be an address

	// ITU-T E.164 allows 15 digits with the country code and sets no least. 7 are
	// a country code of three and a number of four.
	minPhone, maxPhone = 7, 15

	maxLID   = 20 // digits
	maxGroup = 40 // bytes; a creator of 15 digits, '-' and a timestamp take 26
)

// The servers an address may name.
const (
	serverUser   = "s.whatsapp.net"
	serverLegacy = "c.us"
	serverHosted = "hosted"
	serverLID    = "lid"
	serverGroup  = "g.us"
)

// ErrAddress is wrapped by every error that says a text is not an address.
var ErrAddress = errors.New("queue: bad address")

// An AddressError says why a text is not an address. It wraps [ErrAddress] and
// holds no phone number that could be read from it.
type AddressError struct {
	// Value is the text with its digits masked: 4477*****23. One over 64 bytes
	// is cut and ends in "...".
	Value string

	// Reason says what is wrong, as it follows the value: has the letter 'A'.
	Reason string

	// Remedy says what to write instead.
	Remedy string
}

// Error gives the value, the reason and the remedy on one line.
func (e *AddressError) Error() string {
	return fmt.Sprintf("queue: to %q: %s; %s", e.Value, e.Reason, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrAddress]) true.
func (e *AddressError) Unwrap() error { return ErrAddress }

// An Address is one recipient in its canonical form, so that two addresses are
// equal when they name one recipient in different writing. A phone number and
// the @lid of one person are two addresses: only WhatsApp knows that they belong
// together. The zero Address names nobody. [ParseAddress] makes one.
type Address struct {
	text string
}

// String returns the canonical text, unmasked, which [ParseAddress] reads back:
// the digits of a phone number alone, or id@server. It is ASCII, and empty for
// the zero Address.
func (a Address) String() string { return a.text }

// IsPhone reports whether the address is a phone number alone. An @lid is not
// one, whatever its digits look like, nor is an @hosted address, which begins
// with one.
func (a Address) IsPhone() bool { return a.text != "" && strings.IndexByte(a.text, '@') < 0 }

// IsGroup reports whether the address is a group.
func (a Address) IsGroup() bool { return strings.HasSuffix(a.text, "@"+serverGroup) }

// ParseAddress reads a recipient as people, spreadsheets and WhatsApp write it.
// These are addresses:
//
//	+44 7700 900001                a phone number with its country code
//	447700900001@s.whatsapp.net    the same; also @c.us
//	447700900001@hosted            a hosted business
//	98765@lid                      a hidden user
//	120363020000000042@g.us        a group; also creator-timestamp@g.us
//
// In a phone number, spaces, invisible format characters, ( ) . - and one leading
// + or 00 are left out; 7 to 15 digits must remain, the first not 0. Whether an
// operator has assigned the number is not asked. Brackets do not hide a digit:
// +44 (0)20 is 44020, a number nobody has.
//
// Decimal digits of any script count as 0 to 9. Server names may be in either
// case. The device of a user, with or without an agent (:12 or .0:12 before the
// @), is left out; a number whose first dot has at most three digits between it
// and the @ is refused, as the dot may begin an agent or only separate digits.
// Spaces and format characters around the whole text are left out too.
//
// Any other text is an [*AddressError]: among them status, broadcast and channel
// addresses, and text over 256 bytes. The Address may share memory with s. Any
// goroutine may call ParseAddress.
func ParseAddress(s string) (Address, error) {
	text, bad := parseAddress(s)
	if bad != nil {
		bad.Value = mask.Phone(s)
		return Address{}, bad
	}
	return Address{text: text}, nil
}

func parseAddress(s string) (string, *AddressError) {
	switch {
	case s == "":
		return "", refuse("is empty", "write a phone number with its country code")
	case len(s) > maxAddress:
		return "", refuse(fmt.Sprintf("is longer than %d bytes", maxAddress), "write one address")
	case !utf8.ValidString(s):
		return "", refuse("is not valid UTF-8", "save the text as UTF-8")
	}

	id, server, named := strings.Cut(strings.TrimFunc(s, isBlank), "@")
	if !named {
		return parsePhone(id, s, "")
	}
	if strings.IndexByte(server, '@') >= 0 {
		return "", refuse("has more than one @", "write one address")
	}
	switch server = lowerASCII(server); server {
	case serverUser, serverLegacy, serverHosted:
		id, bad := cutDevice(id)
		if bad != nil {
			return "", bad
		}
		if mayHaveAgent(id) {
			return "", refuse("has a dot that may begin an agent or only separate digits", "write the number without the dot")
		}
		if server == serverHosted {
			return parsePhone(id, s, "@"+serverHosted)
		}
		return parsePhone(id, s, "")
	case serverLID:
		id, bad := cutDevice(id)
		if bad != nil {
			return "", bad
		}
		return parseLID(id, s)
	case serverGroup:
		return parseGroup(id, s)
	}
	return "", refuseServer(id, server)
}

// parsePhone reads a phone number and returns its digits and the suffix. Here
// and below, s is the text the address came from.
func parsePhone(id, s, suffix string) (string, *AddressError) {
	var buf [maxAddress + len("@"+serverHosted)]byte
	digits := buf[:0]
	plus := false
	for _, r := range id {
		d, ok := decimal(r)
		switch {
		case ok:
			digits = append(digits, d)
		case r == '+' && !plus && len(digits) == 0:
			plus = true
		case r == '(' || r == ')' || r == '.' || r == '-' || isBlank(r):
		default:
			return "", refuseRune(r, "write a phone number as digits, with its country code")
		}
	}
	if !plus && len(digits) >= 2 && digits[0] == '0' && digits[1] == '0' {
		digits = digits[2:]
	}

	switch n := len(digits); {
	case n == 0:
		return "", refuse("has no digits", "write a phone number with its country code")
	case digits[0] == '0':
		return "", refuse("starts with 0", "write the country code in place of the leading 0")
	case n < minPhone:
		return "", refuse("has only "+count(n), "write the whole number, with its country code")
	case n > maxPhone:
		return "", refuse("has "+count(n),
			fmt.Sprintf("use at most %d with the country code, or end a group's id with @%s", maxPhone, serverGroup))
	}
	return canonical(append(digits, suffix...), s), nil
}

// parseLID reads the id of a hidden user. It has no separators: WhatsApp makes it.
func parseLID(id, s string) (string, *AddressError) {
	const remedy = "write an @" + serverLID + " id as digits only"
	var buf [maxAddress + len("@"+serverLID)]byte
	digits := buf[:0]
	for _, r := range id {
		d, ok := decimal(r)
		if !ok {
			return "", refuseRune(r, remedy)
		}
		digits = append(digits, d)
	}
	switch n := len(digits); {
	case n == 0:
		return "", refuse("has no digits", remedy)
	case n > maxLID:
		return "", refuse("has "+count(n), fmt.Sprintf("use at most %d before @%s", maxLID, serverLID))
	}
	return canonical(append(digits, "@"+serverLID...), s), nil
}

// parseGroup reads the id of a group: digits, or in old groups the creator's
// number and the time of creation with a '-' between.
func parseGroup(id, s string) (string, *AddressError) {
	const remedy = "write a group's id as digits, with at most one - between them"
	var buf [maxAddress + len("@"+serverGroup)]byte
	out := buf[:0]
	dashes := 0
	for _, r := range id {
		d, ok := decimal(r)
		switch {
		case ok:
			out = append(out, d)
		case r == '-':
			dashes++
			out = append(out, '-')
		default:
			return "", refuseRune(r, remedy)
		}
	}
	switch n := len(out); {
	case n == dashes:
		return "", refuse("has no digits", remedy)
	case dashes > 1:
		return "", refuse("has more than one -", remedy)
	case out[0] == '-' || out[n-1] == '-':
		return "", refuse("has a - at an end of the id", remedy)
	case n > maxGroup:
		return "", refuse(fmt.Sprintf("has %d characters before the @", n), fmt.Sprintf("use at most %d before @%s", maxGroup, serverGroup))
	}
	return canonical(append(out, "@"+serverGroup...), s), nil
}

// cutDevice takes the agent and the device from user.agent:device. Without a
// device it returns id as it is: a dot may then be a separator.
func cutDevice(id string) (string, *AddressError) {
	user, device, found := strings.Cut(id, ":")
	if !found {
		return id, nil
	}
	user, agent, found := strings.Cut(user, ".")
	if !isNumber(device, 5) || found && !isNumber(agent, 3) {
		return "", refuse("has an agent or device that cannot be read", "leave out what stands between the user and the @")
	}
	return user, nil
}

// mayHaveAgent reports whether id is one that WhatsApp's clients read as
// user.agent and people as a number with a separator. Either reading can be a
// stranger's number.
func mayHaveAgent(id string) bool {
	_, after, _ := strings.Cut(id, ".")
	digits := 0
	for _, r := range after {
		if _, ok := decimal(r); ok {
			digits++
		}
	}
	return 1 <= digits && digits <= 3
}

func refuse(reason, remedy string) *AddressError {
	return &AddressError{Reason: reason, Remedy: remedy}
}

func refuseRune(r rune, remedy string) *AddressError {
	if unicode.IsLetter(r) {
		return refuse(fmt.Sprintf("has the letter %q", r), remedy)
	}
	return refuse(fmt.Sprintf("has the character %q", r), remedy)
}

func refuseServer(id, server string) *AddressError {
	const remedy = "write a phone number or a group"
	switch {
	case server == "broadcast" && lowerASCII(id) == "status":
		return refuse("is the status list, not a recipient", remedy)
	case server == "broadcast":
		return refuse("is a broadcast list, not a recipient", remedy)
	case server == "newsletter":
		return refuse("is a channel, not a recipient", remedy)
	case server == "":
		return refuse("has nothing after the @", "write the number alone, or the server it belongs to")
	}
	// The text after the @ may itself be a number.
	return refuse(fmt.Sprintf("has the unknown server %q", mask.Phone(server)),
		fmt.Sprintf("use %s, %s, %s, %s or %s, or the number alone", serverUser, serverLegacy, serverLID, serverGroup, serverHosted))
}

func count(digits int) string {
	if digits == 1 {
		return "1 digit"
	}
	return fmt.Sprintf("%d digits", digits)
}

// canonical returns b as a string, which is s itself where they are equal, so
// that reading a canonical text takes no memory.
func canonical(b []byte, s string) string {
	if string(b) == s {
		return s
	}
	return string(b)
}

// isNumber reports whether s is 1 to most ASCII digits.
func isNumber(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isBlank reports whether r is white space or an invisible format character,
// such as the marks of writing direction that a copied number carries.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r > unicode.MaxASCII && unicode.Is(unicode.Cf, r)
}

// lowerASCII lowers A to Z alone. strings.ToLower would take the Kelvin sign
// for a k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// decimal returns the ASCII digit with the value of r, if r is a decimal digit
// of any script. Unicode gives a character category Nd only within a run of ten
// that ascends from 0 to 9 (UAX #44, Numeric_Type), and the ranges of
// [unicode.Nd] are whole runs, so the distance from the start of its range says
// what a digit is worth.
func decimal(r rune) (digit byte, ok bool) {
	if r <= unicode.MaxASCII {
		return byte(r), '0' <= r && r <= '9'
	}
	if !unicode.IsDigit(r) {
		return 0, false
	}
	var start rune
	for _, run := range unicode.Nd.R16 {
		if rune(run.Lo) > r {
			break
		}
		start = rune(run.Lo)
	}
	for _, run := range unicode.Nd.R32 {
		if rune(run.Lo) > r {
			break
		}
		start = rune(run.Lo)
	}
	return '0' + byte((r-start)%10), true
}
