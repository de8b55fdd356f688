package headers

import (
	"net/http"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// members reads a field as a list of structured items, which one syntax error
// voids as a whole (RFC 9651, section 4.2).
func members(lines []string) (httpsfv.List, bool) {
	text := pad(strings.Join(lines, ", "))
	list, err := httpsfv.UnmarshalList([]string{text})
	if err != nil {
		return nil, false
	}
	return list, len(list) <= MaxItems
}

// readItems reads the items of a list and leaves out bad ones.
func readItems[T any](r *reader, field string, list httpsfv.List, read func(httpsfv.Member) (T, bool)) []T {
	items := make([]T, 0, len(list))
	for _, member := range list {
		if item, ok := read(member); ok {
			items = append(items, item)
		} else {
			r.note(field, itemText(member), "is a bad item")
		}
	}
	return items
}

// quotas reads RateLimit-Policy of drafts 04 to 11 and of those that follow: an item
// of each quota, named by a string or, later, a token, and before draft 08 its limit
// alone. A bad item is left out.
func (r *reader) quotas(h http.Header) []Quota {
	const field = "Ratelimit-Policy"
	lines := r.lines(h, field)
	if len(lines) == 0 {
		return nil
	}
	list, ok := members(lines)
	if !ok {
		r.void(field, "is not a list of at most %d quotas", MaxItems)
		return nil
	}
	return readItems(r, field, list, readQuota)
}

func readQuota(member httpsfv.Member) (q Quota, ok bool) {
	item, ok := member.(httpsfv.Item)
	if !ok {
		return Quota{}, false
	}
	params := parameters{item.Params, true}
	var known bool
	switch value := item.Value.(type) {
	case int64:
		q.Limit, known = value, value >= 0
	default:
		q.Name, known = name(value)
		if known {
			q.Limit, known = params.integer("q")
		}
	}
	seconds, windowed := params.integer("w")
	if windowed && seconds == 0 {
		return Quota{}, false
	}
	q.Window = number{whole: seconds}.in(time.Second)
	q.Unit = params.text("qu")
	switch q.Unit {
	case "", "request": // the draft's registry has the latter by a slip
		q.Unit = "requests"
	}
	q.Partition = params.bytes("pk")
	return q, known && params.sound
}

// serviceLimits reads RateLimit of drafts 08 to 11, with the quota that is left as r
// in the time t, of the drafts that follow, which call them a and w, and of draft 07,
// which had a dictionary.
func (r *reader) serviceLimits(h http.Header) []ServiceLimit {
	const field = "Ratelimit"
	lines := r.lines(h, field)
	if len(lines) == 0 {
		return nil
	}
	list, ok := members(lines)
	if !ok {
		if s, ok := readDraft07(lines); ok {
			return []ServiceLimit{s}
		}
		r.void(field, "is not a list of at most %d limits", MaxItems)
		return nil
	}
	return readItems(r, field, list, readServiceLimit)
}

func readServiceLimit(member httpsfv.Member) (s ServiceLimit, ok bool) {
	item, ok := member.(httpsfv.Item)
	if !ok {
		return s, false
	}
	params := parameters{item.Params, true}
	s = ServiceLimit{Source: "RateLimit", Limit: Unknown}
	named, known := false, false
	s.Name, named = name(item.Value)
	window := "t"
	if s.Remaining, known = params.integer("r"); !known {
		window = "w"
		s.Remaining, known = params.integer("a")
	}
	if seconds, told := params.integer(window); told {
		s.Reset, s.ResetKind = number{whole: seconds}.in(time.Second), Delta
	}
	s.Partition = params.bytes("pk")
	ok = named && known && params.sound
	s.Cost, _ = params.integer("c") // draft 11 does not know it: it may be anything
	return s, ok
}

// readDraft07 reads limit=100, remaining=50, reset=5.
func readDraft07(lines []string) (s ServiceLimit, ok bool) {
	members, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil {
		return s, false
	}
	whole := func(key string) (int64, bool) {
		member, _ := members.Get(key)
		item, _ := member.(httpsfv.Item)
		n, ok := item.Value.(int64)
		return n, ok && n >= 0
	}
	s = ServiceLimit{Source: "RateLimit", Limit: Unknown}
	if limit, ok := whole("limit"); ok {
		s.Limit = limit
	}
	if seconds, ok := whole("reset"); ok {
		s.Reset, s.ResetKind = number{whole: seconds}.in(time.Second), Delta
	}
	s.Remaining, ok = whole("remaining")
	return s, ok
}

// name is the name of an item: a string or a token.
func name(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case httpsfv.Token:
		return string(value), true
	}
	return "", false
}

// parameters are those of one item. They are sound until one that is asked for has
// the wrong type; those that are not asked for may be anything.
type parameters struct {
	all   *httpsfv.Params
	sound bool
}

// integer is a parameter that must be an integer and not negative.
func (p *parameters) integer(key string) (int64, bool) {
	value, told := p.all.Get(key)
	n, ok := value.(int64)
	if told && (!ok || n < 0) {
		p.sound = false
	}
	return n, ok && n >= 0
}

func (p *parameters) text(key string) string {
	value, told := p.all.Get(key)
	s, ok := value.(string)
	p.sound = p.sound && (ok || !told)
	return s
}

func (p *parameters) bytes(key string) []byte {
	value, told := p.all.Get(key)
	b, ok := value.([]byte)
	p.sound = p.sound && (ok || !told)
	return b
}

// pad completes the byte sequences of a field to whole groups of base64. RFC 9651,
// section 4.2.7, wants a parser to read them without; httpsfv does not.
func pad(text string) string {
	if strings.IndexByte(text, ':') < 0 {
		return text
	}
	var out strings.Builder
	rest, quoted := text, false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ':' && (i == 0 || strings.IndexByte("=, \t(", rest[i-1]) >= 0):
			length := strings.IndexByte(rest[i+1:], ':')
			if length < 0 {
				out.WriteString(rest)
				return out.String()
			}
			end := i + 1 + length
			out.WriteString(rest[:end])
			switch length % 4 {
			case 2:
				out.WriteString("==")
			case 3:
				out.WriteString("=")
			}
			out.WriteByte(':')
			rest, i = rest[end+1:], -1
		}
	}
	out.WriteString(rest)
	return out.String()
}

// itemText is an item as it was written, for a note.
func itemText(member httpsfv.Member) string {
	text, err := httpsfv.Marshal(httpsfv.List{member})
	if err != nil {
		return ""
	}
	return text
}
