package policy

import "strings"

// An Action is what a request does. The named actions are those that providers
// limit apart; a user's own action is any other text, such as
// "POST /api/v1/media/photo".
type Action string

// The actions that providers limit.
const (
	SendMessage    Action = "send_message"    // one message put on the wire
	UploadMedia    Action = "upload_media"    // one media file uploaded
	GroupInfo      Action = "group_info"      // one look-up of a group's participants or metadata
	ContactPicture Action = "contact_picture" // one profile picture fetched
	CheckNumber    Action = "check_number"    // one question whether a number is on WhatsApp
	CreateSession  Action = "create_session"  // one session opened at a provider
	BulkSend       Action = "bulk_send"       // one call of a provider's bulk endpoint
	TestWebhook    Action = "test_webhook"    // one test delivery of a webhook
)

// Matches reports whether a, read as a pattern, covers action b. A trailing *
// covers every action that starts with the text before it; anywhere else * is an
// ordinary character. A pattern that starts with / covers a path whatever the
// method before it: "/api/v1/media/*" covers "GET /api/v1/media/photo".
func (a Action) Matches(b Action) bool {
	if a.IsPath() {
		if _, at, ok := strings.Cut(string(b), " "); ok && Action(at).IsPath() {
			b = Action(at)
		}
	}
	if prefix, isPattern := strings.CutSuffix(string(a), "*"); isPattern {
		return strings.HasPrefix(string(b), prefix)
	}
	return a == b
}

// IsPath reports whether a is a path without a method, such as "/api/v1/media/*".
func (a Action) IsPath() bool { return strings.HasPrefix(string(a), "/") }
