package headers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// A KeyFunc makes the key of the client that a request comes from, as an account of
// a limiter. Where none can be made it returns an error and no key: a key that
// many share would let one of them lock out the others. All may call it at once.
type KeyFunc func(*http.Request) (string, error)

// ErrKey is wrapped by every [KeyError].
var ErrKey = errors.New("headers: no key")

// A KeyError says why a request has no key. It wraps [ErrKey].
type KeyError struct {
	Field  string // what the key would have been made of
	Value  string // the value, with digits masked and cut to a line
	Remedy string // what to do
}

// Error names the field, the value and the remedy.
func (e *KeyError) Error() string {
	return fmt.Sprintf("headers: no key: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrKey]) true.
func (e *KeyError) Unwrap() error { return ErrKey }

// PeerAddress is the [KeyFunc] of the address at the other end of the connection:
// an IPv4 address, or the /64 of an IPv6 address, which one client has to itself.
// Behind a proxy all requests have the proxy's address; [TrustedProxies] looks behind
// it.
func PeerAddress(r *http.Request) (string, error) {
	peer, err := peerOf(r)
	if err != nil {
		return "", err
	}
	return addressKey(peer), nil
}

func peerOf(r *http.Request) (netip.Addr, error) {
	if r == nil {
		return netip.Addr{}, &KeyError{"request", "nil", "pass the request"}
	}
	peer, ok := readAddress(r.RemoteAddr)
	if !ok {
		return netip.Addr{}, &KeyError{"remote address", quoted(r.RemoteAddr), "serve TCP, or make keys of something else"}
	}
	return peer, nil
}

// addressKey is the key of an address.
func addressKey(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	const client = 64
	prefix, err := a.Prefix(client)
	if err != nil {
		return a.String()
	}
	return prefix.String()
}

// readAddress reads an address, with or without a port; an IPv6 address with a port
// is in brackets. An IPv4 address in IPv6's clothes becomes one, and a zone is left
// out, as the sender chooses it.
func readAddress(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		if inside, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inside, "]") {
			addr, err = netip.ParseAddr(strings.TrimSuffix(inside, "]"))
			if err != nil || addr.Is4() {
				return netip.Addr{}, false
			}
		} else {
			port, err := netip.ParseAddrPort(s)
			if err != nil {
				return netip.Addr{}, false
			}
			addr = port.Addr()
		}
	}
	addr = addr.Unmap().WithZone("")
	return addr, addr.IsValid() && !addr.IsUnspecified()
}

// APIKey returns the [KeyFunc] of a key that clients send in a field, such as
// X-API-Key. Of Authorization what follows the scheme counts. The key of the limiter
// is an HMAC-SHA-256 of it under secret, cut to 128 bits in hex, so that nobody can
// read a client's key from logs and stored state. With a nil secret short keys can be
// guessed; processes that share a limiter's state need one secret. A request without
// the field, with an empty one or with several has no key.
//
// Check first that the key is valid: a client that makes keys up gets a new budget
// with each. Errors: a name that no field can have.
func APIKey(field string, secret []byte) (KeyFunc, error) {
	if !isToken(field) {
		return nil, optionError("field", field, "use the name of a header field, such as X-API-Key")
	}
	name := http.CanonicalHeaderKey(field)
	secret = append([]byte(nil), secret...)
	return func(r *http.Request) (string, error) {
		if r == nil {
			return "", &KeyError{"request", "nil", "pass the request"}
		}
		lines := r.Header[name]
		if len(lines) != 1 {
			return "", &KeyError{name, fmt.Sprintf("in %d lines", len(lines)), "send it once"}
		}
		key := strings.Trim(lines[0], " \t")
		if name == "Authorization" {
			_, credentials, _ := strings.Cut(key, " ")
			key = strings.Trim(credentials, " \t")
		}
		switch {
		case key == "":
			return "", &KeyError{name, `""`, "send a key"}
		case len(key) > MaxField:
			return "", &KeyError{name, fmt.Sprintf("of %d bytes", len(key)), fmt.Sprintf("use at most %d", MaxField)}
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(key))
		return hex.EncodeToString(mac.Sum(nil)[:16]), nil
	}, nil
}

// isToken reports whether s is a token of RFC 9110, as names of fields are.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
