"""Users and user groups by themselves; on nodes they are the matter of integration/test_access."""

from support.case import RegionTestCase
from support.users import OTHER_PASSWORD, PASSWORD, UsersMixin


class Users(UsersMixin, RegionTestCase):
    def test_create_and_describe(self):
        made = self.make_user("Alice-1", "on  ~a:*   -@all +GET ", UserName="alice",
                              Engine="REDIS")
        self.assertEqual(made, {
            "UserId": "alice-1", "UserName": "alice", "Status": "active", "Engine": "redis",
            "MinimumEngineVersion": "6.0", "AccessString": "on  ~a:*   -@all +GET ",
            "UserGroupIds": [], "Authentication": {"Type": "password", "PasswordCount": 1},
            "ARN": made["ARN"]})
        self.assertTrue(made["ARN"].endswith(":user:alice-1"))
        self.assertEqual(self.user("ALICE-1"), made)
        two = self.make_user("two", passwords=(PASSWORD, OTHER_PASSWORD))
        self.assertEqual(two["Authentication"], {"Type": "password", "PasswordCount": 2})
        none = self.make_user("none", passwords=())
        self.assertEqual(none["Authentication"], {"Type": "no-password"})

    def test_authentication_mode(self):
        made = self.cache.create_user(
            UserId="mode", UserName="mode", Engine="valkey", AccessString="on",
            AuthenticationMode={"Type": "password", "Passwords": [PASSWORD]})
        self.addCleanup(self.drop_user, "mode")
        self.assertEqual(made["Authentication"], {"Type": "password", "PasswordCount": 1})
        self.assertEqual((made["Engine"], made["MinimumEngineVersion"]), ("valkey", "7.2"))

        def refused(message, user_id="iam", **mode):
            self.refused("InvalidParameterCombination", self.cache.create_user, UserId=user_id,
                         UserName="iam", Engine="redis", AccessString="on",
                         AuthenticationMode=mode, message=message)

        refused("User Id and User name must be same for authentication type: iam", "other",
                Type="iam")
        refused("does not implement the authentication type iam", Type="iam")
        refused("no-password-required", Type="no-password-required", Passwords=[PASSWORD])

    def test_the_default_user(self):
        default = self.user("default")
        self.assertEqual((default["UserName"], default["Engine"], default["AccessString"]),
                         ("default", "redis", "on ~* +@all"))
        self.assertEqual(default["Authentication"], {"Type": "no-password"})
        for call in (self.cache.modify_user, self.cache.delete_user):
            more = {"AccessString": "off"} if call == self.cache.modify_user else {}
            self.refused("InvalidParameterValue", call, UserId="default", **more)
        self.assertEqual(self.cache.list_tags_for_resource(
            ResourceName=default["ARN"])["TagList"], [])

    def test_create_refusals(self):
        self.make_user("twice")
        good = {"UserId": "x", "UserName": "x", "Engine": "redis", "AccessString": "on ~* +@all",
                "Passwords": [PASSWORD]}

        def refused(code, **more):
            arguments = {**good, **more}
            for name in [name for name, value in arguments.items() if value is None]:
                del arguments[name]
            return self.refused(code, self.cache.create_user, **arguments)

        self.assertEqual(refused("UserAlreadyExists", UserId="TWICE"), "User twice already exists.")
        refused("UserAlreadyExists", UserId="default")
        refused("InvalidParameterValue", UserId="x" * 41)
        refused("InvalidParameterValue", UserName="hikae-admin")
        refused("InvalidParameterValue", Engine="memcached")
        refused("InvalidParameterValue", AccessString="on >password-in-the-string")
        refused("InvalidParameterValue", AccessString="on +nonsense")
        refused("InvalidParameterValue", Passwords=["short"])
        refused("InvalidParameterValue", Passwords=["x" * 129])
        refused("InvalidParameterValue", Passwords=["with blanks between them"])
        refused("InvalidParameterValue", Passwords=[PASSWORD, PASSWORD])
        refused("InvalidParameterValue", Passwords=[PASSWORD, PASSWORD + "2", PASSWORD + "3"])
        refused("InvalidParameterCombination", NoPasswordRequired=True)
        refused("InvalidParameterCombination", Passwords=None)
        refused("InvalidParameterCombination", Engine="valkey", Passwords=None,
                NoPasswordRequired=True)
        refused("InvalidParameterValue", Tags=[{"Key": "aws:x", "Value": "y"}])

    def test_modify(self):
        self.make_user("changing", "on ~a")
        changed = self.cache.modify_user(UserId="CHANGING", AppendAccessString="+get")
        self.assertEqual((changed["Status"], changed["AccessString"]), ("active", "on ~a +get"))
        changed = self.cache.modify_user(UserId="changing", AccessString="off",
                                         Passwords=[PASSWORD, OTHER_PASSWORD])
        self.assertEqual(changed["AccessString"], "off")
        self.assertEqual(changed["Authentication"]["PasswordCount"], 2)
        changed = self.cache.modify_user(UserId="changing", NoPasswordRequired=True)
        self.assertEqual(changed["Authentication"], {"Type": "no-password"})
        modify = self.cache.modify_user
        self.refused("InvalidParameterCombination", modify, UserId="changing",
                     message="No modifications were requested")
        self.refused("InvalidParameterCombination", modify, UserId="changing", AccessString="on",
                     AppendAccessString="+get")
        self.refused("InvalidParameterValue", modify, UserId="changing", AccessString="+nonsense")
        self.refused("InvalidParameterCombination", modify, UserId="changing", Engine="valkey")
        self.refused("UserNotFound", modify, UserId="absent", AccessString="on", status=404)
        self.assertEqual(self.user("changing")["AccessString"], "off")

    def test_delete(self):
        self.make_user("short")
        gone = self.cache.delete_user(UserId="SHORT")
        self.assertEqual((gone["UserId"], gone["Status"]), ("short", "deleting"))
        for call in (self.cache.delete_user, self.cache.describe_users):
            self.refused("UserNotFound", call, UserId="short", status=404)

    def test_filters(self):
        self.make_user("one", UserName="same")
        self.make_user("two", UserName="same", Engine="valkey")
        self.make_user_group("some", ["two"], "valkey")

        def found(name, *values, **more):
            users = self.cache.describe_users(
                Filters=[{"Name": name, "Values": list(values)}], **more)["Users"]
            return [user["UserId"] for user in users]

        self.assertEqual(found("user-name", "same"), ["one", "two"])
        self.assertEqual(found("UserId", "one", "default", "absent"), ["default", "one"])
        self.assertEqual(found("user-group-id", "some"), ["two"])
        self.assertEqual(found("user-name", "same", Engine="Valkey"), ["two"])
        self.assertEqual(found("status", "deleting"), [])
        self.refused("InvalidParameterValue", self.cache.describe_users,
                     Filters=[{"Name": "colour", "Values": ["red"]}])

    def test_pages(self):
        names = [f"page-{number:02}" for number in range(45)]
        for name in names:
            self.make_user(name)
        pages = list(self.cache.get_paginator("describe_users").paginate(
            PaginationConfig={"PageSize": 20}))
        found = [user["UserId"] for page in pages for user in page["Users"]]
        self.assertEqual([name for name in found if name.startswith("page-")], names)
        self.assertEqual(len(found), len(set(found)))
        self.assertIn("default", found)
        self.refused("InvalidParameterValue", self.cache.describe_users, Marker="nonsense")
        self.refused("InvalidParameterValue", self.cache.describe_users, MaxRecords=19)

    def test_tags(self):
        arn = self.make_user("tagged", Tags=[{"Key": "a", "Value": "1"}])["ARN"]
        group = self.make_user_group("tagged", ["default"])["ARN"]
        self.assertTrue(group.endswith(":usergroup:tagged"))
        self.assertEqual(self.cache.list_tags_for_resource(ResourceName=arn)["TagList"],
                         [{"Key": "a", "Value": "1"}])
        for name in (arn, group):
            self.cache.add_tags_to_resource(ResourceName=name, Tags=[{"Key": "b", "Value": "2"}])
            tags = self.cache.remove_tags_from_resource(ResourceName=name, TagKeys=["b"])
            self.assertNotIn({"Key": "b", "Value": "2"}, tags["TagList"])
        self.refused("UserNotFound", self.cache.list_tags_for_resource,
                     ResourceName=arn.replace("tagged", "absent"), message="absent is not present",
                     status=404)
        self.refused("UserGroupNotFound", self.cache.list_tags_for_resource,
                     ResourceName=group.replace("tagged", "absent"), status=404)


class UserGroups(UsersMixin, RegionTestCase):
    def test_create_and_describe(self):
        self.make_user("member")
        made = self.make_user_group("Group-1", ["default", "MEMBER"])
        self.assertEqual(made["Status"], "creating")
        found = self.user_group("GROUP-1")
        self.assertEqual(found, {
            "UserGroupId": "group-1", "Status": "active", "Engine": "redis",
            "UserIds": ["default", "member"], "MinimumEngineVersion": "6.0",
            "ReplicationGroups": [], "ServerlessCaches": [], "ARN": made["ARN"]})
        self.assertEqual(self.user("member")["UserGroupIds"], ["group-1"])
        self.assertIn("group-1", self.user("default")["UserGroupIds"])

    def test_create_refusals(self):
        self.make_user("first", UserName="same")
        self.make_user("second", UserName="same")
        self.make_user("modern", Engine="valkey")
        self.make_user_group("twice", ["default"])
        create = self.cache.create_user_group

        def refused(code, users, engine="redis", group_id="x", **more):
            return self.refused(code, create, UserGroupId=group_id, Engine=engine, UserIds=users,
                                **more)

        refused("UserGroupAlreadyExists", ["default"], group_id="Twice",
                message="User group twice already exists.")
        refused("DefaultUserRequired", ["first"],
                message="User group needs to contain a user with the user name default.")
        refused("DuplicateUserName", ["default", "first", "second"])
        refused("UserNotFound", ["default", "absent"], message="User absent not found.",
                status=404)
        refused("InvalidParameterValue", ["default", "modern"])
        refused("InvalidParameterValue", ["default"], engine="memcached")
        refused("InvalidParameterValue", ["default"], group_id="not-an-id-")
        refused("DuplicateUserName", ["first", "second"], engine="valkey")

    def test_valkey_groups_need_no_default_user(self):
        self.make_user("modern", Engine="valkey")
        self.make_user("old")
        made = self.make_user_group("valkeys", ["modern", "old"], "valkey")
        self.assertEqual((made["Engine"], made["MinimumEngineVersion"]), ("valkey", "7.2"))

    def test_modify(self):
        self.make_user("member")
        self.make_user("own", UserName="default")
        self.make_user_group("changing", ["default"])
        modify = self.cache.modify_user_group
        changed = modify(UserGroupId="CHANGING", UserIdsToAdd=["member"])
        self.assertEqual((changed["Status"], changed["UserIds"]), ("active", ["default", "member"]))
        changed = modify(UserGroupId="changing", UserIdsToAdd=["own"], UserIdsToRemove=["default"])
        self.assertEqual(changed["UserIds"], ["member", "own"])
        self.refused("DefaultUserAssociatedToUserGroup", self.cache.delete_user, UserId="own")
        self.cache.delete_user(UserId="member")
        self.assertEqual(self.user_group("changing")["UserIds"], ["own"])
        self.refused("InvalidParameterCombination", modify, UserGroupId="changing",
                     message="No modifications were requested")
        self.refused("DefaultUserRequired", modify, UserGroupId="changing",
                     UserIdsToRemove=["own"])
        self.refused("DuplicateUserName", modify, UserGroupId="changing",
                     UserIdsToAdd=["default"])
        self.refused("UserNotFound", modify, UserGroupId="changing", UserIdsToAdd=["absent"])
        self.refused("UserNotFound", modify, UserGroupId="changing", UserIdsToRemove=["default"])
        self.refused("UserGroupNotFound", modify, UserGroupId="absent", UserIdsToAdd=["own"],
                     status=404)

    def test_delete(self):
        self.make_user_group("short", ["default"])
        self.assertEqual(self.cache.delete_user_group(UserGroupId="SHORT")["Status"], "deleting")
        for call in (self.cache.delete_user_group, self.cache.describe_user_groups):
            self.refused("UserGroupNotFound", call, UserGroupId="short", status=404,
                         message="UserGroup short not found.")

    def test_pages(self):
        names = [f"page-{number:02}" for number in range(25)]
        for name in names:
            self.make_user_group(name, ["default"])
        pages = list(self.cache.get_paginator("describe_user_groups").paginate(
            PaginationConfig={"PageSize": 20}))
        self.assertEqual(len(pages), 2)
        found = [group["UserGroupId"] for page in pages for group in page["UserGroups"]]
        self.assertEqual([name for name in found if name.startswith("page-")], names)
        self.refused("InvalidParameterValue", self.cache.describe_user_groups, Marker="nonsense")
