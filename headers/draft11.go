package headers

import (
	"encoding/base64"
	"strconv"

	"github.com/wapace/wapace/limiter"
)

// maxInteger is the largest integer of a structured field (RFC 9651, section 3.3.1).
const maxInteger = 999_999_999_999_999

// printDraft11 prints parameters in the order in which the draft lists them.
func printDraft11(pg *page) {
	pg.list("Ratelimit-Policy", func(g *limiter.Gate, r *row) {
		if r.limit == g.Limit {
			pg.text = append(pg.text, r.item...)
			return
		}
		pg.text = append(pg.text, r.name...)
		pg.parameter(";q=", g.Limit)
	})
	pg.list("Ratelimit", func(g *limiter.Gate, r *row) {
		pg.text = append(pg.text, r.name...)
		pg.parameter(";r=", max(g.Remaining, 0))
		pg.parameter(";t=", ceilSeconds(g.Reset))
	})
}

// list prints an item of each rule. Where there is no rule there is no field: the
// draft wants no empty list.
func (pg *page) list(key string, item func(*limiter.Gate, *row)) {
	begin := len(pg.text)
	pg.gates(func(g *limiter.Gate, r *row) bool {
		if len(pg.text) > begin {
			pg.text = append(pg.text, ", "...)
		}
		item(g, r)
		pg.partition()
		return true
	})
	if len(pg.text) > begin {
		pg.add(key, begin)
	}
}

func (pg *page) parameter(name string, n int64) {
	pg.text = strconv.AppendInt(append(pg.text, name...), min(n, maxInteger), 10)
}

func (pg *page) partition() {
	key := pg.state.Partition
	if key == nil {
		return
	}
	pg.text = append(base64.StdEncoding.AppendEncode(append(pg.text, ";pk=:"...), key), ':')
}

// item is the quota's item in RateLimit-Policy, without its partition.
func (q *Quota) item() string {
	text := append([]byte(quote(q.Name)), ";q="...)
	text = strconv.AppendInt(text, min(q.Limit, maxInteger), 10)
	if q.Unit != "" {
		text = append(append(text, ";qu="...), quote(q.Unit)...)
	}
	if q.Window > 0 {
		text = strconv.AppendInt(append(text, ";w="...), ceilSeconds(q.Window), 10)
	}
	return string(text)
}

// quote writes printable ASCII as the string of a structured field.
func quote(s string) string {
	text := make([]byte, 0, len(s)+2)
	text = append(text, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			text = append(text, '\\')
		}
		text = append(text, s[i])
	}
	return string(append(text, '"'))
}

// isPrintable reports whether s is what the string of a structured field may hold.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
