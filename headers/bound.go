package headers

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// A bound is what an answer says about requests to come. The zero bound says
// nothing.
type bound struct {
	wait    time.Duration // none may go before; zero where it does not say
	counted bool          // whether left and reset are known
	left    int64         // how many may go, unless wait says otherwise
	reset   time.Duration // until when
}

// boundOf is what advice on an answer with a status says about requests to come.
// What comes from a cache is about others, and what comes with a redirect would keep
// it from being followed.
func boundOf(a *Advice, status int) (b bound) {
	if a.Cached || a.Locked || redirects(status) {
		return bound{}
	}
	if a.Kind != 0 {
		b.wait = a.Wait
	}
	for i := range a.ServiceLimits {
		s := &a.ServiceLimits[i]
		if s.Remaining < 0 || s.ResetKind == 0 {
			continue
		}
		if !b.counted || s.Remaining < b.left || s.Remaining == b.left && s.Reset > b.reset {
			b.counted, b.left, b.reset = true, s.Remaining, s.Reset
		}
	}
	return b
}

// read reads what an answer says to all, and how long the request itself is to wait,
// 0 where it does not say; and whether it refuses the request because of a limit. The
// answer's body can still be read from its beginning.
func (t *Transport) read(answer *http.Response) (b bound, wait time.Duration, limited bool) {
	a := Parse(answer, peek(answer), t.options.Clock.Now(), &t.parse)
	if a.Kind != 0 && !a.Cached {
		wait = a.Wait
	}
	b = boundOf(&a, answer.StatusCode)
	b.reset = min(b.reset, t.parse.MaxWait) // as the wait is
	return b, wait, a.Limited
}

// peek reads the body of an answer that may speak of limits in it, as far as [Parse]
// reads.
func peek(answer *http.Response) []byte {
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		return nil
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.Body == nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, MaxBody+1))
	rest := io.Reader(answer.Body)
	if err != nil {
		rest = failing{err}
	}
	answer.Body = rejoined{io.MultiReader(bytes.NewReader(body), rest), answer.Body}
	return body
}

// rejoined is a body of which a part was read before.
type rejoined struct {
	io.Reader
	io.Closer
}

// failing is what is left of a body that could not be read to its end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
