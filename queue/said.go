package queue

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// longestText is how many bytes are kept at most of a text that the user's code answers.
const longestText = 4096

// said is the text of an error of the user's code, as plain has it. One that panics
// has none.
func said(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = plain(fmt.Sprintf("an error of type %T, which panicked when it was asked for its text: %v", err, v))
		}
	}()
	return plain(err.Error())
}

// plain is a text as any store can keep it and any log can show it: in UTF-8, without
// NUL, and cut where it is long.
func plain(text string) string {
	if len(text) > longestText {
		end := longestText - len("...")
		for n := 1; n < utf8.UTFMax && !utf8.RuneStart(text[end]); n++ {
			end--
		}
		text = text[:end] + "..."
	}
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}
