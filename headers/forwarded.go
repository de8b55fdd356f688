package headers

import "strings"

// forwardedFor are the hops that a line of Forwarded tells: the for parameter of each
// element. An element that has none, or has it twice, is a hop that is no address, and
// a line that is malformed anywhere is one such hop, as nothing says where its
// elements end.
func forwardedFor(line string) (hops []string) {
	const unknown = "unknown"
	for line = trimBlank(line); line != ""; {
		hop, element := "", false
		for line != "" && line[0] != ',' {
			if line[0] == ';' {
				line = trimBlank(line[1:])
				continue
			}
			name, rest, ok := strings.Cut(line, "=")
			if !ok || !isToken(name) {
				return []string{unknown}
			}
			value, rest, ok := forwardedValue(rest)
			if !ok {
				return []string{unknown}
			}
			line, element = trimBlank(rest), true
			if line != "" && line[0] != ',' && line[0] != ';' {
				return []string{unknown}
			}
			if strings.EqualFold(name, "for") {
				if hop != "" || value == "" {
					value = unknown
				}
				hop = value
			}
		}
		if element && hop == "" {
			hop = unknown
		}
		if hop != "" {
			hops = append(hops, hop)
		}
		if line != "" {
			line = trimBlank(line[1:])
		}
	}
	return hops
}

func trimBlank(s string) string { return strings.TrimLeft(s, " \t") }

// forwardedValue reads a token or a quoted string. Many send an address without the
// quotes that its brackets and colons need.
func forwardedValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexAny(s, ",; \t\"")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return out.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		out.WriteByte(s[i])
	}
	return "", "", false
}
