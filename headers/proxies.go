package headers

import (
	"net/http"
	"net/netip"
	"strings"
)

// TrustedProxies returns the [KeyFunc] of the client behind proxies of one's own. It
// is that of [PeerAddress] for a peer that is none of them. Else it goes through
// X-Forwarded-For, or Forwarded (RFC 7239), from the right, over all lines, and takes
// the first address that is no trusted proxy: what stands further left the client may
// have made up. At what is no address it stops, and takes the last proxy's own.
//
// A proxy passes on what it does not write itself. Where both fields are there and do
// not lead to one client, neither is believed, and the key is the peer's.
//
// Errors: no prefix, one that is invalid, one that is everybody.
func TrustedProxies(proxies ...netip.Prefix) (KeyFunc, error) {
	if len(proxies) == 0 {
		return nil, optionError("proxies", "", "name the proxies' addresses, or use PeerAddress")
	}
	trusted := make([]netip.Prefix, len(proxies))
	for i, p := range proxies {
		plain, ok := unmapPrefix(p)
		switch {
		case !ok:
			return nil, optionError("proxy", p, "use an address and a length, such as 10.0.0.0/8")
		case plain.Bits() == 0:
			return nil, optionError("proxy", p, "name the proxies alone: with everybody trusted, clients choose their key")
		}
		trusted[i] = plain
	}
	return func(r *http.Request) (string, error) {
		peer, err := peerOf(r)
		if err != nil {
			return "", err
		}
		return addressKey(clientOf(r.Header, peer, trusted)), nil
	}, nil
}

// unmapPrefix is the prefix of IPv4 addresses that one of IPv4 addresses in IPv6's
// clothes stands for.
func unmapPrefix(p netip.Prefix) (netip.Prefix, bool) {
	if !p.IsValid() {
		return p, false
	}
	if !p.Addr().Is4In6() {
		return p.Masked(), true
	}
	const clothes = 96
	if p.Bits() < clothes {
		return p, false
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-clothes).Masked(), true
}

func clientOf(h http.Header, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	if !contains(trusted, peer) {
		return peer
	}
	var clients []netip.Addr
	for _, field := range [...]struct {
		name string
		hops func(string) []string
	}{{"X-Forwarded-For", commaSeparated}, {"Forwarded", forwardedFor}} {
		if lines := h[field.name]; len(lines) > 0 {
			clients = append(clients, walk(lines, field.hops, peer, trusted))
		}
	}
	switch {
	case len(clients) == 0, len(clients) == 2 && addressKey(clients[0]) != addressKey(clients[1]):
		return peer
	}
	return clients[0]
}

// walk goes through a field from the right.
func walk(lines []string, hopsOf func(string) []string, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if size > MaxField {
		return peer
	}
	client := peer
	for i := len(lines) - 1; i >= 0; i-- {
		hops := hopsOf(lines[i])
		for j := len(hops) - 1; j >= 0; j-- {
			hop, ok := readAddress(hops[j])
			if !ok {
				return client
			}
			if client = hop; !contains(trusted, hop) {
				return client
			}
		}
	}
	return client
}

func contains(trusted []netip.Prefix, a netip.Addr) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// commaSeparated are the elements of a list, without empty ones, as RFC 9110 wants.
func commaSeparated(line string) (elements []string) {
	for element := range strings.SplitSeq(line, ",") {
		if element = strings.Trim(element, " \t"); element != "" {
			elements = append(elements, element)
		}
	}
	return elements
}
