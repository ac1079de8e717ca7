# A guest at the terminal (bash or zsh). While stage 1 runs, from the repository's root:
# `. docs/tutorial/shop.sh 1`. A second word names a run that is not the stage's own.
STATE=.run/${2:-${RUN:-stage$1}}.json

# What the running stage says of itself: `told site_url`.
told() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$STATE" "$1"
}

if [ ! -f "$STATE" ]; then
    echo "Stage $1 is not ready: say make run-stage STAGE=$1 in another terminal, and wait." >&2
    return 1
fi
SITE=$(told site_url) API=$(told api_url) STRIPE=$(told stripe_url) MAILBOX=$(told mailbox_url)
ADA='{"email": "ada@example.com", "password": "correct horse battery"}'
PARTNER=${PARTNER_API_KEY:-partner-of-the-sandbox} # another company's key
VISIT=$(date +%H%M%S) # so that the same words make a new purchase another time
DAY=$(python3 -c 'import datetime as d; print(d.date.today() + d.timedelta(days=2))')

# Send something to the API as JSON: path, then what curl shall do with it.
api() {
    curl -s "$API$1" -H 'Content-Type: application/json' \
        -H "Authorization: Bearer $TOKEN" "${@:2}" -w '\n%{http_code} after %{time_total} s\n'
}

# Sign up, unless that was done before, and keep the token.
sign_in() {
    api /signup -d "$ADA" > /dev/null
    TOKEN=$(api /login -d "$ADA" | head -1 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
}

# Say something: `say "flowers for my mother"`.
say() {
    api /nlu -d '{"messages": [{"type": "unstructured", "unstructured": {"text": "'"$1"'"}}]}'
}

# Buy something: `buy KEY PRODUCT`. The same key is the same purchase.
buy() {
    api /checkout -H "Idempotency-Key: $VISIT-$1" -d '{"productId": "'"$2"'",
        "deliveryAddress": "5 Main Street, Springfield", "deliveryDate": "'"$DAY"'"}'
}

# The subjects of the letters that came, newest first.
mail() {
    curl -s "$MAILBOX" -H 'Accept: application/json' |
        python3 -c 'import json, sys; [print(at["subject"]) for at in json.load(sys.stdin)]'
}

# The process group of a service of stage 2: `group nlu`.
group() {
    python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["services"][sys.argv[2]][0]["group"])' "$STATE" "$1"
}

# From stage 3 on, guests have an account at Cognito, and sign their requests.
case $1 in [34]) . docs/tutorial/signed.sh ;; esac
