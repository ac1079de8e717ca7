/** What to tell a guest when Cognito refused something about their account. */

import { Failure } from "../api.js";

const WORDS = {
  CodeMismatchException: "That is not the code in our mail. Look again, or have a new one sent.",
  ExpiredCodeException: "That code is too old. Have a new one sent.",
  CodeDeliveryFailureException: "The mail with your code could not be sent. Check the address.",
  NotAuthorizedException: "The e-mail or the password is wrong. Try again.",
  UserNotFoundException: "The e-mail or the password is wrong. Try again.",
  UserNotConfirmedException: "Confirm your e-mail first: enter the code that we sent you.",
  UsernameExistsException: "There is an account with this e-mail already. Sign in instead.",
  AliasExistsException: "There is an account with this e-mail already. Sign in instead.",
  PasswordResetRequiredException: "This password is not good any more. Ask us for a new one.",
};
const TOO_OFTEN = new Set([
  "LimitExceededException",
  "TooManyFailedAttemptsException",
  "TooManyRequestsException",
]);

/** Whether Cognito only asks for patience; it says so with status 400. */
const isTooOften = ({ reason, message }) =>
  TOO_OFTEN.has(reason) || /attempts exceeded/i.test(message);

/** Whether a refused renewal means that the session is over. */
export const isFinal = (failure) => failure.refused && !isTooOften(failure);

/**
 * Put a failure of Cognito's into words.
 *
 * @param {Failure} failure `reason` has Cognito's name of it.
 * @returns {Failure} `unconfirmed` when the way on is to confirm the e-mail.
 */
export function explainCognito(failure) {
  const { status, reason, message } = failure;
  if (!reason) return failure;
  if (isTooOften(failure)) {
    return new Failure({ status: 400, message: "Too many attempts. Try again in a while." });
  }
  if (reason === "InvalidPasswordException") {
    return new Failure({ status, message: `Choose another password. ${rules(message)}` });
  }
  const told = new Failure({ status, message: WORDS[reason] ?? message });
  told.unconfirmed = reason === "UserNotConfirmedException";
  return told;
}

/** Cognito lists the rules after a colon: "Password must have …; Password must have …". */
function rules(message) {
  const broken = message.slice(message.indexOf(":") + 1).trim();
  return `${broken.replace(/[.\s]*$/, "").replaceAll("Password must", "It must")}.`;
}
