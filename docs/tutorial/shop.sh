# A guest at the terminal. For stage 1: `. docs/tutorial/shop.sh 1`, from the root.
SITE=${SITE:-localhost:8${1}00}
STRIPE=${STRIPE:-localhost:8${1}10}
MAILBOX=${MAILBOX:-localhost:8${1}20}
RUN=${RUN:-.run/stage$1.json}
ADA='{"email": "ada@example.com", "password": "correct horse battery"}'
DAY=$(python3 -c 'import datetime as d; print(d.date.today() + d.timedelta(days=2))')

# Send something to the API as JSON: path, then what curl shall do with it.
api() {
    curl -s "$SITE/v1$1" -H 'Content-Type: application/json' \
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
    api /checkout -H "Idempotency-Key: $1" -d '{"productId": "'"$2"'",
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
print(json.load(open(sys.argv[1]))["services"][sys.argv[2]][0]["group"])' "$RUN" "$1"
}
